"""G03: checked in and never checked out, with a note that is not signed either (signed is G05; a patient who left
unseen is G04, once that is open)."""

from datetime import datetime, timedelta

from athena_dash.correlation.business_time import end_of_day
from athena_dash.correlation.rules import g04_left_unseen
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """4 h after the start or at day end, whichever is first; not a business-hours grace: patients go home."""
    appointment = visit.appointment
    if appointment is None or appointment.status != "2" or visit.signed:
        return NO_GAP
    if g04_left_unseen.find(visit, policies, now).gap:
        return NO_GAP
    since = appointment.checked_in_at or appointment.starts_at
    if since is None or visit.service_date is None:
        return NO_GAP
    begins = max(since, appointment.starts_at or since)
    opens_at = min(
        begins + timedelta(hours=policies.grace_hours("G03")),
        max(end_of_day(visit.service_date, visit.zone), begins),
    )
    if now < opens_at:
        return Finding(since=since, opens_at=opens_at, reconsider_at=opens_at)
    sentence = f"Checked in {on(since, visit)}, never checked out, note not signed"
    return Finding(gap=True, since=since, opens_at=opens_at, sentence=sentence)


RULE = Rule(
    code="G03",
    title="Checked in, never finished",
    stage=GapStage.VISIT,
    awaits="appointment",
    needs_feed="appointments",
    source="revenue-cycle.md §2.1 G03",
    find=find,
    of_settled=True,
    only="2",
    despite=frozenset({Suppressor.EPISODE}),
)
