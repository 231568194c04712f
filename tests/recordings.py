"""Where real answers of athenahealth lie, when they do: they are not part of a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REFERENCE

FOLDER = Path(__file__).parents[1] / REFERENCE / "athena-data"
needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"needs {REFERENCE}")
