"""G45: athenahealth pursues the claim no further, and the practice has not closed it: reviewed weekly."""

from athena_dash.correlation.rules.base import GapStage, Rule, Suppressor
from athena_dash.correlation.rules.stands_long import stands_long
from athena_dash.practices.statuses import ClaimStage

RULE = Rule(
    code="G45",
    title="Given up by athena, not closed",
    stage=GapStage.POST,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.4 G45, §1.1 S24",
    find=stands_long("G45", ClaimStage.FULLY_WORKED),
    shown=True,
    despite=frozenset(Suppressor),
)
