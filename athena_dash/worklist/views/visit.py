"""`/visits/<id>`: one visit as a page, or as the drawer beside the worklist; and revealing the patient."""

from __future__ import annotations

from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from athena_dash.accounts.rights import (
    SEE_FAILURES,
    SEE_PHI,
    SEE_VISITS,
    WORK_VISITS,
    needs,
    practices_with,
)
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.core.templatetags.ui import business_days
from athena_dash.correlation.explain import explain
from athena_dash.correlation.models import Verdict, Visit
from athena_dash.correlation.worth import lost_by_waiting
from athena_dash.sync.live_read import newest_of
from athena_dash.worklist.capture import captured, voided
from athena_dash.worklist.desk import desk_of
from athena_dash.worklist.episodes import parts_of, reach_of
from athena_dash.worklist.evidence import steps
from athena_dash.worklist.forms import AssignForm, NoteForm, SnoozeForm, WorkedForm
from athena_dash.worklist.money import money_of
from athena_dash.worklist.names import names_of
from athena_dash.worklist.queries import Desktop
from athena_dash.worklist.reveal import is_revealed, reveal_patient
from athena_dash.worklist.rows import is_worked, verdict_badge
from athena_dash.worklist.timeline import timeline
from athena_dash.worklist.visit_records import VisitRecords, read_records
from athena_dash.worklist.watched import watched
from athena_dash.worklist.words import ACTIONS, CLOSED_BY, ESTIMATORS, SIGNALS, gap_title

PARTS = {"drawer": "worklist/drawer.html", **dict.fromkeys(("visit", "check"), "worklist/visit_body.html")}


def visit_with(request: HttpRequest, pk: int, right: str) -> Visit:
    """The visit, if the user holds the right in its practice; another practice's visit does not exist for them."""
    practices = practices_with(request.user, right)
    found: Visit = get_object_or_404(Visit.objects.select_related("practice"), pk=pk, practice__in=practices)
    return found


@require_safe
@needs(SEE_VISITS)
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, visit_with(request, pk, SEE_VISITS))


@require_POST
@needs(SEE_PHI)
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    found = visit_with(request, pk, SEE_PHI)
    reveal_patient(request, found)
    return show(request, found) if request.htmx else redirect("visit", pk)  # type: ignore[attr-defined]


def show(request: HttpRequest, visit: Visit, *, status: int = 200, **forms: Form) -> HttpResponse:
    """`forms`: those that came back with errors, under the names of the context."""
    context = visit_context(request, visit) | forms
    return page(request, "worklist/visit.html", context, parts=PARTS, status=status)


def visit_context(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    desk = desk_of(request)
    records = read_records(visit)
    track = desk.freshness.heard(visit.practice_id, visit.track)
    names = names_of([visit.practice_id])
    may = {
        name: practices_with(request.user, right).filter(pk=visit.practice_id).exists()
        for name, right in (("work", WORK_VISITS), ("see_names", SEE_PHI), ("see_failures", SEE_FAILURES))
    }
    return {
        "visit": visit,
        "records": records,
        "may": may,
        "revealed": may["see_names"] and is_revealed(request, visit),
        "initials": initials(records),
        "provider": names.of("provider", visit.practice_id, visit.provider_id),
        "department": names.of("department", visit.practice_id, visit.department_id),
        "age": business_days(visit.service_date, desk.today) if visit.service_date else None,
        "track": track,
        "steps": steps(records, track),
        "timeline": timeline(records),
        "money": money_of(records),
        "captured": captured(records),
        "voided": voided(records),
        "gap": gap_words(records, desk),
        "parts": parts_of(records),
        "reach": reach_of(records),
        "check": newest_of(visit),
        "rules": explain(visit),
        "closed_gaps": [
            (gap, gap_title(gap.code), CLOSED_BY.get(gap.closed_by, ""))
            for gap in records.gaps
            if gap.closed_at
        ],
        "other_gaps": [
            (gap, gap_title(gap.code)) for gap in records.gaps if not gap.closed_at and not gap.primary
        ],
        "assign_form": AssignForm(
            visit.practice, initial={"assignee": records.work.assignee_id if records.work else None}
        ),
        "snooze_form": SnoozeForm(visit.practice),
        "worked_form": WorkedForm(visit.practice),
        "note_form": NoteForm(),
        "worked": watched(records),
        "is_asleep": records.work is not None and is_asleep(records),
    }


def initials(records: VisitRecords) -> str:
    patient = records.patient
    return f"{patient.first_name[:1]}{patient.last_name[:1]}".upper() if patient else "?"


def is_asleep(records: VisitRecords) -> bool:
    """As worklist.asleep says it in SQL."""
    work, gap = records.work, records.primary_gap
    if work is None or work.snoozed_until is None or work.snoozed_until <= clock.now():
        return False
    return work.worked_at is None or is_worked(work, gap.opened_at if gap else None)


def gap_words(records: VisitRecords, desk: Desktop) -> dict[str, Any] | None:
    """The primary gap as the desk reads it now: staleness joined into the verdict, action, evidence."""
    gap = records.primary_gap
    if gap is None:
        return None
    due = gap.due_at.astimezone(records.zone) if gap.due_at else None
    days_left = (gap.filing_limit - desk.today).days if gap.filing_limit else None
    age = (desk.today - gap.since.astimezone(records.zone).date()).days
    suspect = desk.freshness.why_suspect(gap.practice_id, gap.needs_feed, gap.asked_at)
    return {
        "row": gap,
        "title": gap_title(gap.code),
        "action": ACTIONS.get(gap.code, ""),
        "estimator": ESTIMATORS.get(gap.estimator, ""),
        "verdict": verdict_badge(Verdict.SUSPECT_SYNC if suspect else gap.verdict),
        "why_suspect": suspect,
        "evidence": [(SIGNALS.get(e.get("signal", ""), ""), e.get("says", "")) for e in gap.evidence],
        "due": due and due.date(),
        "due_clock": due and f"{due:%H:%M %Z}",
        "days_left": days_left,
        "lost_in_a_week": lost_by_waiting(gap.at_risk, age, days_left) if gap.at_risk else None,
    }
