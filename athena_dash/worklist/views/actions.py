"""What the desk does to visits: assign, snooze, work, wake, note. htmx gets the visit and its row, others a
redirect."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from athena_dash.accounts.rights import WORK_VISITS, needs, practices_with
from athena_dash.core import clock
from athena_dash.core.templatetags.ui import plural, written
from athena_dash.correlation.models import Visit
from athena_dash.worklist.desk import desk_of, signed_in
from athena_dash.worklist.filters import Filters, Stage
from athena_dash.worklist.forms import AssignForm, NoteForm, SnoozeForm, WorkedForm
from athena_dash.worklist.models import Note, Worked, WorkItem
from athena_dash.worklist.names import names_of
from athena_dash.worklist.queries import rows_of, visits
from athena_dash.worklist.rows import rows
from athena_dash.worklist.views.visit import show, visit_with

MOST_AT_ONCE = 200


@require_POST
@needs(WORK_VISITS)
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    visit = visit_with(request, pk, WORK_VISITS)
    form = AssignForm(visit.practice, request.POST)
    if not form.is_valid():
        return _refused(request, visit, assign_form=form)
    assignee = form.cleaned_data["assignee"]
    _work(visit, assignee=assignee)
    messages.success(request, f"Assigned to {assignee}." if assignee else "Taken off every desk.")
    return done(request, visit)


@require_POST
@needs(WORK_VISITS)
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    visit = visit_with(request, pk, WORK_VISITS)
    form = SnoozeForm(visit.practice, request.POST)
    if not form.is_valid():
        return _refused(request, visit, snooze_form=form)
    until = form.cleaned_data["until"]
    _work(
        visit,
        snoozed_until=until,
        snoozed_by=signed_in(request),
        snooze_reason=form.cleaned_data["reason"],
        worked_at=None,
    )
    messages.success(request, f"Snoozed until {written(until)}.")
    return done(request, visit)


@require_POST
@needs(WORK_VISITS)
def worked(request: HttpRequest, pk: int) -> HttpResponse:
    """Off the list while athena catches up; `worklist.asleep` says what brings it back."""
    visit = visit_with(request, pk, WORK_VISITS)
    form = WorkedForm(visit.practice, request.POST)
    if not form.is_valid():
        return _refused(request, visit, worked_form=form)
    now, user, returns_at = clock.now(), signed_in(request), form.returns_at()
    codes = visit.gaps.filter(closed_at__isnull=True).order_by("code").values_list("code", flat=True)
    with transaction.atomic():
        Worked.objects.create(
            practice=visit.practice,
            visit=visit,
            by=user,
            at=now,
            what=form.cleaned_data["what"],
            codes=list(codes),
            returns_at=returns_at,
        )
        _work(
            visit,
            snoozed_until=returns_at,
            snoozed_by=user,
            snooze_reason=form.cleaned_data["what"],
            worked_at=now,
        )
    messages.success(request, f"Watched until athena shows it; back on {written(returns_at)} if it does not.")
    return done(request, visit)


@require_POST
@needs(WORK_VISITS)
def wake(request: HttpRequest, pk: int) -> HttpResponse:
    visit = visit_with(request, pk, WORK_VISITS)
    _work(visit, snoozed_until=None, snoozed_by=None, snooze_reason="", worked_at=None)
    messages.success(request, "Back on the worklist.")
    return done(request, visit)


@require_POST
@needs(WORK_VISITS)
def note(request: HttpRequest, pk: int) -> HttpResponse:
    visit = visit_with(request, pk, WORK_VISITS)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _refused(request, visit, note_form=form)
    Note.objects.create(
        practice=visit.practice,
        visit=visit,
        author=signed_in(request),
        text=form.cleaned_data["text"],
        at=clock.now(),
    )
    messages.success(request, "Note added.")
    return done(request, visit)


@require_POST
@needs(WORK_VISITS)
def assign_many(request: HttpRequest) -> HttpResponse:
    """The chosen rows of the worklist, to oneself or to nobody."""
    chosen = [int(pk) for pk in request.POST.getlist("visit")[:MOST_AT_ONCE] if pk.isascii() and pk.isdigit()]
    mine = Visit.objects.filter(pk__in=chosen, practice__in=practices_with(request.user, WORK_VISITS))
    to = signed_in(request) if request.POST.get("to") == "me" else None
    items = [WorkItem(visit=visit, practice_id=visit.practice_id, assignee=to) for visit in mine]
    WorkItem.objects.bulk_create(
        items, update_conflicts=True, unique_fields=["visit"], update_fields=["assignee", "updated_at"]
    )
    count = plural(len(items), "visit,visits")
    messages.success(request, f"{count} assigned to you." if to else f"{count} taken off every desk.")
    back = reverse("visits") + request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "visits")


def _work(visit: Visit, **changes: Any) -> None:
    WorkItem.objects.update_or_create(visit=visit, defaults=changes | {"practice": visit.practice})


def _refused(request: HttpRequest, visit: Visit, **forms: Form) -> HttpResponse:
    return show(request, visit, status=422, **forms)


def done(request: HttpRequest, visit: Visit) -> HttpResponse:
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("visit", visit.pk)
    response = show(request, visit)
    response.write(_row(request, visit))
    return response


def _row(request: HttpRequest, visit: Visit) -> str:
    """The visit's row as it reads now, swapped out of band if the worklist is on screen."""
    desk = desk_of(request)
    listed = rows_of(visits(Filters(stage=Stage.ALL), desk).filter(pk=visit.pk), desk.today)
    changed = rows(listed, desk, names_of([visit.practice_id]))
    return render_to_string(
        "worklist/row_oob.html",
        {"row": changed[0] if changed else None, "pk": visit.pk, "may_work": True},
        request,
    )
