"""A practice, its biller, and a client signed in as them; the clock stands still."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

if TYPE_CHECKING:  # a conftest is read before Django's apps are
    from athena_dash.accounts.models import User
    from athena_dash.correlation.models import Link
    from athena_dash.practices.models import Practice
    from tests.correlation.office import Office


@pytest.fixture(autouse=True)
def _clean_cache(as_of: datetime) -> None:
    cache.clear()


@pytest.fixture
def practice(db: None) -> Practice:
    from tests.builders import a_practice

    return a_practice()


@pytest.fixture
def biller(practice: Practice) -> User:
    from tests.builders import a_user

    return a_user(practice, role="billing", username="bella")


@pytest.fixture
def desk(biller: User) -> Client:
    client = Client()
    client.force_login(biller)
    return client


@pytest.fixture
def htmx(biller: User) -> Client:
    """The same person's browser with JavaScript on, as htmx asks."""
    client = Client(headers={"HX-Request": "true"})
    client.force_login(biller)
    return client


@pytest.fixture
def office(practice: Practice) -> Office:
    """The same practice, receiving records."""
    from tests.correlation.office import Office

    return Office(practice)


@pytest.fixture
def twins(office: Office) -> Link:
    """A claim that two visits of the same patient, day, department and provider could own."""
    from tests.correlation.office import a_claim, a_line, an_appointment, an_encounter

    office.receive(
        an_appointment("100", encounter_id="9100"),
        an_encounter("9100"),
        an_appointment("101", encounter_id="9101"),
        an_encounter("9101"),
        a_claim("40"),
        a_line("1", "40"),
    )
    return office.link("claim", "40")
