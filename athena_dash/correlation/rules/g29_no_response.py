"""G29: submitted, and the payer has neither paid nor answered for three weeks."""

from datetime import datetime

from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import payer_round_later, rounds_before, standing
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """FOLLOWUP is athena's own alarm and needs no grace. Once the primary has paid anything, the silence is
    the secondary's: then its own slot stands here."""
    findings = []
    for claim, slot, since in standing(visit, (ClaimStage.BILLED, ClaimStage.FOLLOWUP)):
        if slot.name == "primary" and paid(claim):
            continue
        alarmed = slot.stage is ClaimStage.FOLLOWUP
        if not alarmed:
            since = payer_round_later(since, slot, rounds_before(claim, slot))
        sentence = f"Claim {claim.id} billed by {on(since, visit)}, no answer from the payer ({slot.name})"
        hours = 0 if alarmed else policies.grace_hours("G29")
        findings.append(after_grace(since, hours, visit, policies, now, sentence))
    return earliest(findings)


def paid(claim: ClaimFacts) -> bool:
    return any(line.payments for line in claim.lines)


RULE = Rule(
    code="G29",
    title="Payer has not answered",
    stage=GapStage.ADJUDICATE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G29",
    find=find,
    despite=frozenset(Suppressor),
)
