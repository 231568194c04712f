"""Rights by name: what each role may do in a practice, and the two questions every view asks.

A view never asks for a role. It asks `practices_with(user, RIGHT)` and starts every queryset from the answer,
or is wrapped in `@needs(RIGHT)`: 403 for members without the right, sign-in for strangers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from athena_dash.practices.models import Practice, Role

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.practices.querysets import PracticeQuerySet

SEE_VISITS = "see visits"
WORK_VISITS = "work visits"  # assign, note, snooze, check athena now
SEE_PHI = "see PHI"  # reveal names; audited
SEE_FAILURES = "see failures"
REPLAY = "replay failures"
SEE_RAW = "see raw payloads"  # audited
SEE_FEEDS = "see feeds"
RUN_FEEDS = "run and pause feeds"
MANAGE_PRACTICE = "manage practice"

RIGHTS: dict[str, frozenset[str]] = {
    Role.BILLING: frozenset({SEE_VISITS, WORK_VISITS, SEE_PHI, SEE_FEEDS}),
    Role.SUPPORT: frozenset({SEE_VISITS, SEE_FAILURES, REPLAY, SEE_RAW, SEE_FEEDS, RUN_FEEDS}),
    Role.ADMIN: frozenset({SEE_FEEDS, RUN_FEEDS, SEE_FAILURES, MANAGE_PRACTICE}),
}

HOMES: dict[str, str] = {Role.BILLING: "today", Role.SUPPORT: "failures", Role.ADMIN: "practices"}


def practices_with(user: Any, right: str) -> PracticeQuerySet:
    """Practices in which the user holds the right."""
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    return Practice.objects.in_role(user, *roles)


def rights_of(user: Any) -> frozenset[str]:
    """Rights the user holds in at least one practice; for showing or hiding navigation."""
    roles = user.memberships.values_list("role", flat=True).distinct()
    return frozenset().union(*(RIGHTS[role] for role in roles))


def home_of(user: Any) -> str:
    """URL name of the user's first screen: the desk before support before administration."""
    roles = set(user.memberships.values_list("role", flat=True))
    return next(
        (HOMES[role] for role in (Role.BILLING, Role.SUPPORT, Role.ADMIN) if role in roles), "no-practice"
    )


def may_connect(user: Any) -> bool:
    """Connect a new practice: an admin of any practice, or a superuser, who alone can make the first."""
    return bool(user.is_superuser or practices_with(user, MANAGE_PRACTICE).exists())


def user_of(request: HttpRequest) -> User:
    """Who is signed in, as our own class; only for views behind `needs` or `login_required`."""
    return cast("User", request.user)


View = Callable[..., HttpResponseBase]


def needs(right: str) -> Callable[[View], View]:
    """Let the view run for who holds the right somewhere; in which practices, the view must still ask."""

    def wrap(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not practices_with(request.user, right).exists():
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return wrap
