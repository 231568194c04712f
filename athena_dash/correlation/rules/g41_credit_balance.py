"""G41: more was paid than owed, and the credit has not been returned for thirty days."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import payer_round_later, slot_since
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """A credit comes with a payment, so one that was there when we first looked is a payer's answer younger
    than its claim."""
    findings = []
    for claim in visit.live_claims:
        over = [
            slot for owner, slot in visit.open_slots if owner is claim and slot.stage is ClaimStage.OVERPAID
        ]
        credit = -sum(
            (line.outstanding for line in claim.lines if line.outstanding and line.outstanding < 0),
            Decimal(0),
        )
        slots = over or (list(claim.slots[:1]) if credit else [])
        for slot in slots:
            if since := slot_since(claim, slot, visit):
                since = payer_round_later(since, slot, rounds=1)
                worth = f" of ${credit:,.2f}" if credit else ""
                sentence = f"Claim {claim.id} holds a credit{worth} since about {on(since, visit)}"
                findings.append(
                    after_grace(since, policies.grace_hours("G41"), visit, policies, now, sentence)
                )
    return earliest(findings)


RULE = Rule(
    code="G41",
    title="Credit balance",
    stage=GapStage.POST,
    awaits="claim",
    needs_feed="transactions",
    source="revenue-cycle.md §2.4 G41",
    find=find,
    despite=frozenset(Suppressor),
)
