"""A practice, its biller, and a client signed in as them; the clock stands still."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

if TYPE_CHECKING:  # a conftest is read before Django's apps are
    from athena_dash.accounts.models import User
    from athena_dash.practices.models import Practice


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
