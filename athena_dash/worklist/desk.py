"""Who asks and when into a Desktop: the practices they may see, how fresh those are, the business date."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpRequest

from athena_dash.accounts.models import User
from athena_dash.accounts.rights import SEE_VISITS, practices_with
from athena_dash.core import clock
from athena_dash.worklist.freshness import freshness_of
from athena_dash.worklist.queries import Desktop


def signed_in(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  @needs has sent everybody else to sign in
    return request.user


def desk_of(request: HttpRequest) -> Desktop:
    user = signed_in(request)
    practices = {practice.pk: practice for practice in practices_with(user, SEE_VISITS)}
    # One list spans zones; deadlines are counted in the zone of the first practice, at most hours off elsewhere.
    zone = next(iter(practices.values())).timezone
    return Desktop(user, practices, freshness_of(practices), clock.today(ZoneInfo(zone)))
