"""Where athena and interface engines push to us: machines without a session, each with the practice's own proof.

Nothing of a request is kept before it has proved itself, and an unknown practice answers like a wrong proof.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections import Counter
from dataclasses import asdict

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from athena_dash.core.queue import wake
from athena_dash.operations.rate import too_many
from athena_dash.practices.models import Connection
from athena_dash.sync import deliveries, jobs, push
from athena_dash.sync.resources import RESOURCES
from integrations.athena.errors import InvalidResponse
from integrations.athena.webhook import HEADER, is_signed

LARGEST_NOTIFICATION = 1_000_000  # bytes; athena's samples are of 3 kB
LARGEST_DELIVERY = 8_000_000  # about two pages of athena's largest
PARENT = "Athena-Parent"  # a header, because URLs are logged and this may be a patient's id
PARENT_SHAPE = re.compile(r"[A-Za-z0-9.-]{1,64}(/[A-Za-z0-9.-]{1,64})?", re.ASCII)

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def push_events(request: HttpRequest, slug: str) -> HttpResponse:
    """athena's event notifications. Any other answer than 2xx makes athena send them again for an hour."""
    if refusal := too_much(request, slug, LARGEST_NOTIFICATION):
        return refusal
    body = request.read(LARGEST_NOTIFICATION)
    connection = connection_of(slug)
    if not connection or not is_signed(body, request.headers.get(HEADER), connection.push_secret or ""):
        return refused(401, "The signature does not fit.")
    try:
        received = push.receive(connection.practice, body)
    except push.ForeignPractice:
        log.warning("a notification named another practice", extra={"practice": connection.practice_id})
        return refused(403, "The notification names another practice.")
    except InvalidResponse as error:
        return refused(422, error.safe_message)
    for feed_id in received.feeds:
        wake(jobs.QUEUE, jobs.pull_feed, feed_id)
    return JsonResponse({"new": received.new, "repeated": received.repeated})


@csrf_exempt
@require_POST
def push_records(request: HttpRequest, slug: str, resource: str) -> HttpResponse:
    """athenaOne JSON or a FHIR Bundle from an interface engine such as Mirth; one result for each record."""
    if refusal := too_much(request, slug, LARGEST_DELIVERY):
        return refusal
    connection = connection_of(slug)
    if not connection or not holds_token(request, connection.push_token or ""):
        return refused(401, "The bearer token does not fit.")
    if resource not in RESOURCES:
        raise Http404
    parent = request.headers.get(PARENT, "")
    if parent and not PARENT_SHAPE.fullmatch(parent):
        return refused(422, f"{PARENT} is no id, nor two with a / between them.")
    try:
        results = deliveries.accept(
            connection.practice, RESOURCES[resource], request.read(LARGEST_DELIVERY), parent
        )
    except deliveries.Unreadable:
        return refused(422, "The body is neither a page, an array or an object of athena nor a FHIR Bundle.")
    counts = Counter(result.outcome for result in results)
    return JsonResponse({"counts": counts, "records": [asdict(result) for result in results]})


def too_much(request: HttpRequest, slug: str, largest: int) -> HttpResponse | None:
    """Refuse by rate and by the announced size; no more than that size is read afterwards."""
    if too_many(slug, request.META.get("REMOTE_ADDR", "")):
        answer = refused(429, "Too many requests; the same one may come again in a minute.")
        answer["Retry-After"] = "60"
        return answer
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        return refused(411, "Say how long the body is: a chunked one is not read.")
    if int(length) > largest:
        return refused(413, f"The body is larger than {largest} bytes; send it in parts.")
    return None


def connection_of(slug: str) -> Connection | None:
    return Connection.objects.select_related("practice").filter(practice__slug=slug).first()


def holds_token(request: HttpRequest, token: str) -> bool:
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(offered.strip().encode("utf-8", "replace"), token.encode())
    return bool(token) and scheme.lower() == "bearer" and same


def refused(status: int, message: str) -> JsonResponse:
    return JsonResponse({"error": message}, status=status)
