"""Practices an admin runs: the list with the health of each connection, and one practice's connection."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs, practices_with
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.operations import connecting
from athena_dash.operations.feed_rows import FeedRow, feed_rows
from athena_dash.practices.forms import ConnectionForm
from athena_dash.practices.models import Practice
from athena_dash.sync.models import Failure, Feed


@dataclass(frozen=True, slots=True)
class Health:
    """Of a practice, as a tone, a word and a sentence."""

    tone: str
    word: str
    sentence: str
    shape: str = ""


@dataclass(frozen=True, slots=True)
class PracticeRow:
    practice: Practice
    health: Health
    feeds: int
    trusted: int
    failures: int


def managed(request: HttpRequest) -> QuerySet[Practice]:
    return practices_with(request.user, MANAGE_PRACTICE).select_related("connection")


@require_GET
@needs(MANAGE_PRACTICE)
def practices(request: HttpRequest) -> HttpResponse:
    # Counted from the keys: the filter by one's own membership would otherwise leave one member each.
    own = Practice.objects.filter(pk__in=managed(request).values("pk"))
    listed = own.annotate(people=Count("memberships")).select_related("connection").order_by("name")
    now = clock.now()
    feeds: dict[int, list[FeedRow]] = {}
    for row in feed_rows(Feed.objects.filter(practice__in=managed(request)), now):
        feeds.setdefault(row.feed.practice_id, []).append(row)
    failing = dict(
        Failure.objects.filter(practice__in=managed(request), resolved_at__isnull=True)
        .order_by()
        .values_list("practice_id")
        .annotate(n=Count("pk"))
    )
    rows = [_row(practice, feeds.get(practice.pk, []), failing.get(practice.pk, 0)) for practice in listed]
    return page(request, "operations/practices.html", {"rows": rows})


def _row(practice: Practice, feeds: list[FeedRow], failures: int) -> PracticeRow:
    trusted = sum(feed.state.trusted for feed in feeds)
    return PracticeRow(practice, health(practice, feeds), len(feeds), trusted, failures)


def health(practice: Practice, feeds: list[FeedRow]) -> Health:
    connection = getattr(practice, "connection", None)
    if practice.paused_at:
        return Health("", "Paused", "Nothing is asked of athena until it is resumed.", "circle-pause")
    if connection is None:
        return Health("wait", "Not connected", "It has no connection to athena yet.", "unplug")
    if connection.credential_failed_at:
        return Health(
            "bad", "Credential refused", "athena refuses the client id or secret: enter them again."
        )
    if connection.rotates_soon(clock.now().date()):
        return Health("wait", "Replace the secret", connection.rotation_sentence, "key-round")
    behind = [row for row in feeds if not row.state.trusted]
    if len(behind) == len(feeds):
        return Health("wait", "Starting", "No feed is up to date yet.")
    if behind:
        return Health("wait", "Behind", f"{len(behind)} of {len(feeds)} feeds are not up to date.")
    return Health("good", "Healthy", "Every feed is up to date.")


@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "POST"])
@needs(MANAGE_PRACTICE)
def practice(request: HttpRequest, slug: str) -> HttpResponse:
    """Its connection; POST saves what was changed, and gives a refused credential a new chance."""
    found = get_object_or_404(managed(request), slug=slug)
    form = ConnectionForm(request.POST or None, instance=found.connection)
    if request.method == "POST" and form.is_valid():
        connection = form.save(commit=False)
        connection.credential_failed_at = None
        connection.save()
        messages.success(request, "Saved. Test the connection to be sure.")
        return redirect("practice", found.slug)
    rows = feed_rows(Feed.objects.for_practice(found.pk), clock.now())
    context = {
        "practice": found,
        "connection": found.connection,
        "form": form,
        "health": health(found, rows),
        "steps": found.connection.check_report,
        "tab": "connection",
    }
    return page(request, "operations/practice.html", context, status=422 if form.errors else 200)


@require_POST
@needs(MANAGE_PRACTICE)
def check_practice(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(managed(request), slug=slug)
    steps = connecting.check(found.connection)
    failed = [step for step in steps if not step.ok]
    if failed:
        messages.error(request, f"The connection does not work: {failed[0].message}")
    else:
        messages.success(request, "The connection works.")
    return redirect("practice", found.slug)


@require_POST
@needs(MANAGE_PRACTICE)
def pause_practice(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(managed(request), slug=slug)
    Practice.objects.filter(pk=found.pk, paused_at__isnull=True).update(paused_at=clock.now())
    messages.success(request, "Paused. Nothing is asked of athena for this practice until it is resumed.")
    return redirect("practice", found.slug)


@require_POST
@needs(MANAGE_PRACTICE)
def resume_practice(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(managed(request), slug=slug)
    Practice.objects.filter(pk=found.pk).update(paused_at=None)
    messages.success(request, "Resumed; its feeds catch up now.")
    return redirect("practice", found.slug)
