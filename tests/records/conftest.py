"""An empty practice, and a shorthand that writes facts as one batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from athena_dash.practices.models import Practice
    from athena_dash.records.facts import Fact, Roster
    from athena_dash.records.upsert import Touched

    Write = Callable[..., Touched]


@pytest.fixture
def practice(db: None, as_of: dt.datetime) -> Practice:
    from athena_dash.practices.models import Practice

    return Practice.objects.create(slug="riverside", name="Riverside", athena_id="195900")


@pytest.fixture
def write(practice: Practice, as_of: dt.datetime) -> Write:
    """Facts in one batch, as of now or some minutes later → what changed."""
    from athena_dash.records.facts import Sourced
    from athena_dash.records.upsert import upsert

    def write(*facts: Fact | Roster, minutes: int = 0, raw_id: int = 1) -> Touched:
        at = as_of + dt.timedelta(minutes=minutes)
        return upsert(practice.pk, [Sourced(fact, raw_id, at) for fact in facts])

    return write
