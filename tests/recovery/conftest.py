"""A practice that is connected to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from athena_dash.practices.models import Practice


@pytest.fixture
def practice(db: None) -> Practice:
    from tests.builders import a_practice
    from tests.recovery.failing import a_connection

    practice = a_practice("riverside")
    a_connection(practice)
    return practice
