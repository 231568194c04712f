"""Two practices, a member of support, and a retry that needs no athena."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.practices.models import Practice
    from tests.recovery.failing import Retries


@pytest.fixture
def practice(db: None) -> Practice:
    from tests.builders import a_practice
    from tests.recovery.failing import a_connection

    practice = a_practice("riverside")
    a_connection(practice)
    return practice


@pytest.fixture
def sam(practice: Practice) -> User:
    from tests.builders import a_user

    return a_user(practice, role="support", username="sam")


@pytest.fixture
def retries(monkeypatch: pytest.MonkeyPatch) -> Retries:
    from tests.recovery.failing import Retries

    fake = Retries()
    monkeypatch.setattr("athena_dash.sync.replay.retry", fake)
    return fake
