"""Walks every address: nobody reaches another role's action or a foreign practice.

An address without a rule here fails the walk, so whoever adds one has to say who may reach it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from athena_dash.accounts import rights
from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.practices.models import Practice, Role
from athena_dash.recovery.models import Replay, ReplayItem
from athena_dash.sync import backfill
from athena_dash.sync.models import Feed
from tests.builders import a_gap, a_link, a_practice, a_user, a_visit
from tests.recovery.failing import a_connection, a_failure

ROLES = ("billing", "support", "admin")
ANYONE, SIGNED_IN = "anyone", "whoever is signed in"
MACHINE = "a machine that proves itself; a session proves nothing"


@dataclass(frozen=True)
class Rule:
    """The right that GET and POST ask for; None means that the method is refused."""

    get: str | None = None
    post: str | None = None


RULES = {
    "healthz": Rule(ANYONE, ANYONE),
    "readyz": Rule(ANYONE, ANYONE),
    "sign-in": Rule(ANYONE, ANYONE),
    "sign-out": Rule(None, ANYONE),
    "no-practice": Rule(SIGNED_IN, SIGNED_IN),
    "home": Rule(SIGNED_IN),
    "today": Rule(rights.SEE_VISITS),
    "visits": Rule(rights.SEE_VISITS),
    "visit-search": Rule(None, rights.SEE_VISITS),
    "visits-assign": Rule(None, rights.WORK_VISITS),
    "visit": Rule(rights.SEE_VISITS),
    "visit-reveal": Rule(None, rights.SEE_PHI),
    "visit-check": Rule(rights.WORK_VISITS, rights.WORK_VISITS),
    "visit-assign": Rule(None, rights.WORK_VISITS),
    "visit-snooze": Rule(None, rights.WORK_VISITS),
    "visit-worked": Rule(None, rights.WORK_VISITS),
    "visit-wake": Rule(None, rights.WORK_VISITS),
    "visit-note": Rule(None, rights.WORK_VISITS),
    "visit-episode": Rule(None, rights.WORK_VISITS),
    "unmatched": Rule(rights.SEE_VISITS),
    "quality": Rule(rights.SEE_VISITS),
    "quality-links": Rule(rights.SEE_VISITS),
    "quality-measure": Rule(None, rights.SEE_VISITS),
    "review": Rule(rights.SEE_VISITS),
    "review-tie": Rule(None, rights.WORK_VISITS),
    "review-none": Rule(None, rights.WORK_VISITS),
    "review-undo": Rule(None, rights.WORK_VISITS),
    "failures": Rule(rights.SEE_FAILURES),
    "failure-group": Rule(rights.SEE_FAILURES),
    "acknowledge-group": Rule(None, rights.REPLAY),
    "mute-group": Rule(None, rights.REPLAY),
    "failure": Rule(rights.SEE_FAILURES),
    "replay-failure": Rule(None, rights.REPLAY),
    "reveal-failure": Rule(None, rights.SEE_RAW),
    "replays": Rule(rights.SEE_FAILURES),
    "plan-replay": Rule(rights.REPLAY),
    "start-replay": Rule(None, rights.REPLAY),
    "replay": Rule(rights.SEE_FAILURES),
    "replay-report": Rule(rights.SEE_FAILURES),
    "pause-replay": Rule(None, rights.REPLAY),
    "resume-replay": Rule(None, rights.REPLAY),
    "cancel-replay": Rule(None, rights.REPLAY),
    "feeds": Rule(rights.SEE_FEEDS),
    "feed": Rule(rights.SEE_FEEDS),
    "pause-feed": Rule(None, rights.RUN_FEEDS),
    "resume-feed": Rule(None, rights.RUN_FEEDS),
    "run-feed": Rule(None, rights.RUN_FEEDS),
    "calls": Rule(rights.SEE_FEEDS),
    "set-feed-back": Rule(None, rights.MANAGE_PRACTICE),
    "planner": Rule(rights.SEE_FEEDS),
    "backfills": Rule(rights.SEE_FEEDS),
    "ask-for-backfills": Rule(None, rights.RUN_FEEDS),
    "pause-backfill": Rule(None, rights.RUN_FEEDS),
    "resume-backfill": Rule(None, rights.RUN_FEEDS),
    "cancel-backfill": Rule(None, rights.RUN_FEEDS),
    "check-completeness": Rule(None, rights.RUN_FEEDS),
    "metrics": Rule(MACHINE),
    "practices": Rule(rights.MANAGE_PRACTICE),
    "connect-practice": Rule(rights.MANAGE_PRACTICE, rights.MANAGE_PRACTICE),
    "practice": Rule(rights.MANAGE_PRACTICE, rights.MANAGE_PRACTICE),
    "check-practice": Rule(None, rights.MANAGE_PRACTICE),
    "pause-practice": Rule(None, rights.MANAGE_PRACTICE),
    "resume-practice": Rule(None, rights.MANAGE_PRACTICE),
    "members": Rule(rights.MANAGE_PRACTICE, rights.MANAGE_PRACTICE),
    "change-member": Rule(None, rights.MANAGE_PRACTICE),
    "policies": Rule(rights.MANAGE_PRACTICE, rights.MANAGE_PRACTICE),
    "weights": Rule(rights.MANAGE_PRACTICE),
    "learn-weights": Rule(None, rights.MANAGE_PRACTICE),
    "apply-weights": Rule(None, rights.MANAGE_PRACTICE),
    "alerts": Rule(rights.MANAGE_PRACTICE, rights.MANAGE_PRACTICE),
    "push-credentials": Rule(rights.MANAGE_PRACTICE, rights.MANAGE_PRACTICE),
    "push-events": Rule(None, MACHINE),
    "push-records": Rule(None, MACHINE),
}


def names(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern.name or str(pattern.pattern)


WALKED = sorted(set(names(get_resolver().url_patterns)))


def roles_with(right: str | None) -> set[str]:
    if right is None:
        return set()
    return (
        set(ROLES) if right in (ANYONE, SIGNED_IN) else {r for r in ROLES if right in rights.RIGHTS[Role(r)]}
    )


@dataclass
class World:
    practice: Practice
    objects: dict[str, dict[str, Any]]  # {address: arguments that name something of the practice}
    members: dict[str, User]
    strangers: dict[str, User]  # the same roles in another practice

    def url(self, name: str) -> str:
        if name in ("healthz", "readyz"):
            return f"/{name}"
        return reverse(name, kwargs=self.objects.get(name, {}))


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.METRICS_TOKEN = "configured"
    practice, other = a_practice("riverside"), a_practice("mesa")
    a_connection(practice)
    a_connection(other)
    members = {role: a_user(practice, role=role) for role in ROLES}
    visit = a_visit(practice)
    a_gap(visit)
    failure = a_failure(practice)
    replay = Replay.objects.create(practice=practice, key=uuid4(), verb="refetch", planned_at=clock.now())
    ReplayItem.objects.create(replay=replay, failure=failure)
    feed = Feed.objects.filter(practice=practice).first()
    history = backfill.ask(feed, clock.now().date(), clock.now().date()) if feed else None
    extra = a_user(practice, role="billing")
    named: dict[str, dict[str, Any]] = {
        "visit": {"pk": visit.pk},
        "link": {"pk": a_link(None, "claim", "77", practice=practice, state="unmatched").pk},
        "group": {"fingerprint": failure.fingerprint},
        "failure": {"pk": failure.pk},
        "replay": {"pk": replay.pk},
        "feed": {"pk": feed.pk if feed else 0},
        "backfill": {"pk": history.pk if history else 0},
        "practice": {"slug": practice.slug},
        "delivery": {"slug": practice.slug, "resource": "claims"},
        "member": {"slug": practice.slug, "pk": extra.memberships.get().pk},
    }
    kinds = {
        "visit": (
            "visit",
            "visit-reveal",
            "visit-check",
            "visit-assign",
            "visit-snooze",
            "visit-worked",
            "visit-wake",
            "visit-note",
            "visit-episode",
        ),
        "link": ("review", "review-tie", "review-none", "review-undo"),
        "group": ("failure-group", "acknowledge-group", "mute-group"),
        "failure": ("failure", "replay-failure", "reveal-failure"),
        "replay": ("replay", "replay-report", "pause-replay", "resume-replay", "cancel-replay"),
        "feed": ("feed", "pause-feed", "resume-feed", "run-feed", "set-feed-back"),
        "backfill": ("pause-backfill", "resume-backfill", "cancel-backfill"),
        "practice": (
            "practice",
            "check-practice",
            "pause-practice",
            "resume-practice",
            "calls",
            "planner",
            "backfills",
            "ask-for-backfills",
            "check-completeness",
            "members",
            "policies",
            "weights",
            "learn-weights",
            "apply-weights",
            "alerts",
            "push-credentials",
            "push-events",
            "quality-measure",
        ),
        "delivery": ("push-records",),
        "member": ("change-member",),
    }
    return World(
        practice,
        {name: named[kind] for kind, addresses in kinds.items() for name in addresses},
        members,
        {role: a_user(other, role=role) for role in ROLES},
    )


def ask(user: User | None, method: str, url: str) -> Any:
    client = Client()
    if user:
        client.force_login(user)
    return client.get(url) if method == "get" else client.post(url)


def walk() -> Iterator[tuple[str, str, str | None]]:
    for name in WALKED:
        yield name, "get", RULES[name].get
        yield name, "post", RULES[name].post


def test_every_address_has_a_rule() -> None:
    assert set(WALKED) - set(RULES) == set(), "say in RULES who may reach it"
    assert set(RULES) - set(WALKED) == set(), "a rule for an address that is gone"


def test_strangers_to_the_site_are_sent_to_sign_in(world: World) -> None:
    wrong = {}
    for name, method, right in walk():
        answer = ask(None, method, world.url(name))
        to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in?next=")
        if right == ANYONE:
            fine = answer.status_code < 500
        elif right == MACHINE:
            fine = answer.status_code == 401
        else:
            fine = to_sign_in or (right is None and answer.status_code == 405)
        if not fine:
            wrong[method, name] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_exactly_what_its_rights_say(world: World, role: str) -> None:
    wrong = {}
    for name, method, right in walk():
        status = ask(world.members[role], method, world.url(name)).status_code
        if right == MACHINE:
            fine = status == 401
        elif role not in roles_with(right):
            fine = status in (403, 404, 405)
        elif method == "post" or name == "plan-replay":
            fine = status in (200, 302, 400, 404, 422)  # an empty form is refused after the right was asked
        else:
            fine = status in (200, 302)
        if not fine:
            wrong[method, name] = status
    assert wrong == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_member_of_another_practice_finds_nothing_there(world: World, role: str) -> None:
    wrong = {}
    for name, method, right in walk():
        answer = ask(world.strangers[role], method, world.url(name))
        if right == MACHINE:
            fine = answer.status_code == 401
        elif name in world.objects:
            fine = answer.status_code in (403, 404, 405)
        else:
            fine = answer.streaming or b"Riverside" not in answer.content
        if not fine:
            wrong[method, name] = answer.status_code
    assert wrong == {}


def test_a_foreign_failure_in_a_plan_is_left_out(world: World) -> None:
    pk = world.objects["failure"]["pk"]
    page = ask(world.strangers["support"], "get", f"{reverse('plan-replay')}?failure={pk}")
    assert page.context["plan"].will_run == 0
    assert page.context["plan"].no_right == 0
