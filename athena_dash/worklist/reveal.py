"""A patient's name, hidden until somebody with the right asks; asking is audited and holds 15 minutes."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest

from athena_dash.accounts.models import PhiAccess
from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.worklist.desk import signed_in

LASTS = dt.timedelta(minutes=15)
SESSION_KEY = "revealed"


def reveal_patient(request: HttpRequest, visit: Visit) -> None:
    PhiAccess.objects.create(
        user=signed_in(request),
        practice_id=visit.practice_id,
        action="reveal patient",
        subject=f"visit {visit.pk}",
    )
    still = {key: until for key, until in request.session.get(SESSION_KEY, {}).items() if _open(until)}
    request.session[SESSION_KEY] = still | {str(visit.pk): (clock.now() + LASTS).isoformat()}


def is_revealed(request: HttpRequest, visit: Visit) -> bool:
    return _open(request.session.get(SESSION_KEY, {}).get(str(visit.pk), ""))


def _open(until: str) -> bool:
    return bool(until) and dt.datetime.fromisoformat(until) > clock.now()
