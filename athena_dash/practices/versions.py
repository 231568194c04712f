"""Wanted policy values → what differs from the stored ones, saved as one version that can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from django.db import transaction

from athena_dash.core import clock
from athena_dash.practices.models import Policy, PolicyVersion, Practice
from athena_dash.practices.policies import default, policies_of
from athena_dash.practices.policy_words import label, said


class Change(msgspec.Struct, frozen=True):
    """None is the shipped default."""

    name: str
    old: Any
    new: Any

    @property
    def words(self) -> str:
        return f"{label(self.name)}: {said(self.name, self.old)} → {said(self.name, self.new)}"


class Overtaken(Exception):
    """Somebody else has saved one of these policies since the change was looked at."""


def changes_to(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Change, ...]:
    """A value equal to the default is none of the practice's own."""
    asked = ((name, None if value == default(name) else value) for name, value in sorted(wanted.items()))
    return tuple(Change(name, stored.get(name), new) for name, new in asked if new != stored.get(name))


def signature(changes: Iterable[Change]) -> str:
    """Names a set of changes, so that what is saved is what was previewed."""
    return sha256(msgspec.json.encode(list(changes))).hexdigest()[:16]


@transaction.atomic
def save(practice: Practice, changes: Iterable[Change], user_id: int | None) -> PolicyVersion:
    Practice.objects.select_for_update().get(pk=practice.pk)  # one saving at a time
    stored = policies_of(practice).overrides
    kept = list(changes)
    for change in kept:
        if stored.get(change.name) != change.old:
            raise Overtaken(change.name)
        if change.new is None:
            Policy.objects.filter(practice=practice, name=change.name).delete()
        else:
            Policy.objects.update_or_create(
                practice=practice,
                name=change.name,
                defaults={"value": change.new, "set_by_id": user_id},
            )
    version: PolicyVersion = practice.policy_versions.create(
        saved_by_id=user_id, saved_at=clock.now(), changes=msgspec.to_builtins(kept)
    )
    return version


def changes_of(version: PolicyVersion) -> list[Change]:
    return msgspec.convert(version.changes, list[Change])


def before(version: PolicyVersion) -> dict[str, Any]:
    """The values that saving this version replaced: what going back to before it wants."""
    return {change.name: change.old for change in changes_of(version)}
