"""G16: the visit has the result of a test that this practice does itself, and no claim line for it."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Nothing of athena's tells a test done here from one sent out: the practice lists its own, with their codes."""
    if not visit.results or not visit.live_claims or visit.service_date is None:
        return NO_GAP
    charged = {line.procedure_code for claim in visit.live_claims for line in claim.lines}
    own = policies.value("in_house_tests")
    missing = sorted({test for test in visit.results if test in own and not charged.intersection(own[test])})
    if not missing or not charged:
        return NO_GAP
    sentence = f"Tested here but on no claim: {', '.join(own[test][0] for test in missing)}"
    since = close_of_business(visit.service_date, visit.zone)
    return after_grace(since, policies.grace_hours("G16"), visit, policies, now, sentence)


RULE = Rule(
    code="G16",
    title="Test done here, not charged",
    stage=GapStage.CHARGE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.2 G16",
    find=find,
    of_settled=True,
)
