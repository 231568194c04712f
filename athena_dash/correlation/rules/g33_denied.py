"""G33: the payer denied the claim, or a line of it, and nobody has done anything about it."""

from datetime import datetime

from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.came_back import appeal_until, came_back
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    findings = []
    for claim, slot, since in came_back(visit, "denied"):
        limit = appeal_until(visit, since, policies)
        sentence = f"Claim {claim.id} denied by {on(since, visit)}, nothing done since ({slot.name})"
        hours = policies.grace_hours("G33")
        until = limit.on if limit else None
        findings.append(after_grace(since, hours, visit, policies, now, sentence, deadline=until))
    return earliest(findings)


RULE = Rule(
    code="G33",
    title="Denied, not worked",
    stage=GapStage.ADJUDICATE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.4 G33",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
