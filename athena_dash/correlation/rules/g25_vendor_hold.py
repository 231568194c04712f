"""G25: athenahealth or the central billing office has held a claim for more than ten business days."""

from athena_dash.correlation.rules.base import GapStage, Rule, Suppressor
from athena_dash.correlation.rules.stands_long import stands_long
from athena_dash.practices.statuses import ClaimStage

RULE = Rule(
    code="G25",
    title="Held by athenahealth",
    stage=GapStage.CLAIM,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G25",
    find=stands_long("G25", ClaimStage.VENDOR_HOLD),
    shown=True,
    despite=frozenset(Suppressor),
)
