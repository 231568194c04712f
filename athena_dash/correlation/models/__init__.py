"""The correlation model: a Visit, the Links that tie records to it, the Decisions of people about these, the Coverages
by claims of other visits, and the Gaps that name what a visit lacks."""

from athena_dash.correlation.models.coverage import Coverage
from athena_dash.correlation.models.gap import Gap, Verdict
from athena_dash.correlation.models.learnt import Cohorts, PaidBefore, Weights
from athena_dash.correlation.models.link import Decision, Link
from athena_dash.correlation.models.quality import LinkMeasure, LinkQuality
from athena_dash.correlation.models.visit import Visit

__all__ = [
    "Cohorts",
    "Coverage",
    "Decision",
    "Gap",
    "Link",
    "LinkMeasure",
    "LinkQuality",
    "PaidBefore",
    "Verdict",
    "Visit",
    "Weights",
]
