"""`/readyz`: can pages be served, and what does the work behind them lack. Only the first decides its status."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_rq import get_connection
from redis import RedisError
from rq import Worker

from athena_dash.core.health import reachable
from athena_dash.practices.models import Practice
from athena_dash.sync.standing import standings


def readyz(request: HttpRequest) -> HttpResponse:
    """An athena that is down, or workers that are away, leave what is here readable: they are told, not a 503."""
    answers = reachable()
    return JsonResponse(answers | behind(), status=200 if all(answers.values()) else 503)


def behind() -> dict[str, int | None]:
    """None is not known. Numbers only: whoever asks has not signed in."""
    try:
        workers = Worker.count(connection=get_connection("live"))
        practices = Practice.objects.filter(paused_at=None).values_list("pk", flat=True)
        open_circuits = sum(one.open for one in standings(list(practices)).values())
    except (RedisError, DatabaseError):
        return {"workers": None, "open_circuits": None}
    return {"workers": workers, "open_circuits": open_circuits}
