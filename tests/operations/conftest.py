"""A practice that is connected, and the browsers of its support and its admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from athena_dash.accounts.models import User
    from athena_dash.practices.models import Practice


@pytest.fixture
def practice(db: None) -> Practice:
    from tests.builders import a_practice
    from tests.recovery.failing import a_connection

    practice = a_practice("riverside", name="Riverside Primary Care")
    a_connection(practice)
    return practice


@pytest.fixture
def as_sam(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def as_ada(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client
