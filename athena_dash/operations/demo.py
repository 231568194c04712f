"""Three practices connected to the sandbox, and one user for each role: what `make demo` shows."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from athena_dash.accounts.models import User
from athena_dash.practices.models import Connection, Membership, Practice, Role

PRACTICES = (
    ("harbor-primary-care", "Harbor Primary Care", "195900", "America/New_York"),
    ("mesa-multispecialty", "Mesa Multispecialty Group", "195903", "America/Phoenix"),
    ("lakeside-surgery", "Lakeside Surgical Clinic", "11287", "America/Chicago"),
)


class Account(NamedTuple):
    username: str
    password: str
    role: str


@transaction.atomic
def create(sandbox_url: str) -> list[Account]:
    """Makes what is missing and points every demo practice at this sandbox. Returns who can sign in."""
    practices = [_practice(*described, sandbox_url) for described in PRACTICES]
    return [_account(role, practices) for role in Role]


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
        },
    )
    return practice


def _account(role: Role, practices: list[Practice]) -> Account:
    # Made once for this state directory: no two demos share a password, none stands in the code.
    password = settings.STATE.secret("demo_password")
    user, made = User.objects.get_or_create(username=str(role))
    if made:
        user.set_password(password)
        user.save()
    for practice in practices:
        Membership.objects.get_or_create(user=user, practice=practice, defaults={"role": role})
    return Account(user.username, password, role.label)
