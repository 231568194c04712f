"""Three practices connected to the sandbox, and the people of the demo: what `make demo` shows."""

from __future__ import annotations

import secrets
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from athena_dash.accounts.models import User
from athena_dash.practices.models import Connection, Membership, Practice, Role
from athena_dash.sync.feeds import create_feeds

PRACTICES = (
    ("riverside-primary", "Riverside Primary Care", "195900", "America/New_York"),
    ("mesa-multispecialty", "Mesa Multispecialty Group", "195903", "America/Phoenix"),
    ("harbor-surgical", "Harbor Surgical Clinic", "11287", "America/New_York"),
)
EVERYWHERE = tuple(slug for slug, *_ in PRACTICES)
PEOPLE = (
    ("bella", "Bella", Role.BILLING, EVERYWHERE),
    ("sam", "Sam", Role.SUPPORT, EVERYWHERE),
    ("ada", "Ada", Role.ADMIN, EVERYWHERE),
    ("hugo", "Hugo", Role.BILLING, ("harbor-surgical",)),  # shows that a practice stays unseen by others
)


class DemoUser(NamedTuple):
    username: str
    password: str
    role: str


@transaction.atomic
def create(sandbox_url: str) -> list[DemoUser]:
    """Makes what is missing and points every demo practice at this sandbox. Returns who can sign in."""
    practices = {described[0]: _practice(*described, sandbox_url) for described in PRACTICES}
    return [
        _person(username, name, role, [practices[slug] for slug in slugs])
        for username, name, role, slugs in PEOPLE
    ]


def _practice(slug: str, name: str, athena_id: str, timezone: str, sandbox_url: str) -> Practice:
    practice, _ = Practice.objects.get_or_create(
        slug=slug, defaults={"name": name, "athena_id": athena_id, "timezone": timezone}
    )
    Connection.objects.update_or_create(
        practice=practice,
        defaults={"base_url": sandbox_url},
        create_defaults={
            "base_url": sandbox_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "calls_per_second": 150,  # what athena's production allows, and so the sandbox's
            "calls_per_day": 500_000,
        },
    )
    create_feeds(practice)
    return practice


def _person(username: str, name: str, role: Role, practices: list[Practice]) -> DemoUser:
    # Made once for this state directory: no two demos share a password, none stands in the code.
    password = settings.STATE.secret("demo_password", partial(secrets.token_urlsafe, 9))
    user, made = User.objects.get_or_create(username=username, defaults={"first_name": name})
    if made:
        user.set_password(password)
        user.save()
    for practice in practices:
        Membership.objects.get_or_create(user=user, practice=practice, defaults={"role": role})
    return DemoUser(username, password, _described(role, practices))


def _described(role: Role, practices: list[Practice]) -> str:
    return role.label if len(practices) == len(PRACTICES) else f"{role.label}, {practices[0]} only"
