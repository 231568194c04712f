"""Where real answers of athenahealth lie, when they do: they are not part of a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "../shared/reference/athena-data"
needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason="no ../shared/reference in a checkout")
