"""G22: every claim of the visit is voided and none took its place. An edit in a closed period replaces in
minutes."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    if not visit.claims or visit.live_claims or waived_for_good(visit):
        return NO_GAP
    since = max((at for claim in visit.claims if (at := voided_at(claim, visit))), default=None)
    if since is None:
        return NO_GAP
    sentence = f"Claim voided by {on(since, visit)}, none made in its place"
    return after_grace(since, policies.grace_hours("G22"), visit, policies, now, sentence)


def waived_for_good(visit: VisitFacts) -> bool:
    """A slip waived as a duplicate leans on a claim keyed by hand, and that one is void."""
    appointment = visit.appointment
    if appointment is None or not appointment.charge_entry_not_required:
        return False
    return not appointment.charge_entry_not_required_reason.upper().startswith("DUPLICATE")


def voided_at(claim: ClaimFacts, visit: VisitFacts) -> datetime | None:
    """The day the reversing lines were posted; else when we saw the last slot close, if we saw it happen."""
    reversals = [line.posted_on for line in claim.lines if line.amount < 0 and line.posted_on]
    if reversals:
        return close_of_business(max(reversals), visit.zone)
    witnessed = [slot.since for slot in claim.slots if slot.since and not slot.from_backfill]
    if witnessed:
        return max(witnessed)
    return close_of_business(claim.created_on, visit.zone) if claim.created_on else None


RULE = Rule(
    code="G22",
    title="Claim voided, not replaced",
    stage=GapStage.CLAIM,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §0.9, §2.2 G22",
    find=find,
    despite=frozenset({Suppressor.NOT_REQUIRED}),
)
