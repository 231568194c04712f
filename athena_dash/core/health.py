"""For whoever watches the process: is it alive, and can it reach what it needs. Why not is in the log."""

from __future__ import annotations

import logging

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django_rq import get_connection
from redis import RedisError

log = logging.getLogger(__name__)


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def reachable() -> dict[str, bool]:
    """What no page can do without."""
    return {"database": _database_answers(), "redis": _redis_answers()}


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError:
        log.warning("database does not answer", exc_info=True)
        return False
    return True


def _redis_answers() -> bool:
    try:
        return bool(get_connection("live").ping())
    except RedisError:
        log.warning("redis does not answer", exc_info=True)
        return False
