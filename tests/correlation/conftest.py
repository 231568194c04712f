"""An office per test: one practice, looked at on the Wednesday after its visits."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.correlation.office import Office


@pytest.fixture
def office(db: None, as_of: dt.datetime) -> Office:
    """The clock stands at noon of Wednesday, 11 March 2026."""
    from athena_dash.practices.models import Practice  # Django is not set up yet when conftests are imported
    from tests.correlation.office import Office

    return Office(Practice.objects.create(slug="riverside", name="Riverside", athena_id="195900"))
