"""G24: a claim the practice itself must fix has stood in HOLD or MGRHOLD for too long."""

from datetime import datetime

from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import standing
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    findings = []
    for claim, slot, since in standing(visit, (ClaimStage.HOLD, ClaimStage.MANAGER_HOLD)):
        manager = slot.stage is ClaimStage.MANAGER_HOLD
        hours = policies.value("grace_hours_manager.G24") if manager else policies.grace_hours("G24")
        sentence = f"Claim {claim.id} in {slot.raw} since {on(since, visit)} ({slot.name})"
        owner = "billing manager" if manager else ""
        findings.append(after_grace(since, hours, visit, policies, now, sentence, owner))
    return earliest(findings)


RULE = Rule(
    code="G24",
    title="Claim on hold",
    stage=GapStage.CLAIM,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §0.6, §2.3 G24",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
