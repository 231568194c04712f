"""What a level of agreement says for or against a visit, in points: the scoring SQL joins them, screens explain them.

Shipped points are the prior; a practice's own (`learning`) take over as it grows. A link's points are the sum over its
facts. The best candidate must lead the second, and `none`, by `sure`; else a person chooses, down to `look` ahead of
`none`. `none` is what belonging to no visit on offer weighs, and a practice's own points say besides, as "stray LEVEL",
what each level of each candidate adds to that: a stray, such as a hospital round, is not simply another visit's claim.
Precision before recall: a wrong link shown as fact hides money (revenue-cycle.md §7.1, §7.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from athena_dash.correlation.models import Weights

WINDOW_DAYS = 3
CANDIDATES_KEPT = 5
STRAY = "stray "
SHIPPED: Mapping[str, Decimal] = {
    "sure": Decimal("2.0"),
    "look": Decimal("0.5"),
    "none": Decimal("3.0"),
    "absent": Decimal("-9.0"),
    "same_day": Decimal("4.0"),
    "same_local_day": Decimal("4.0"),  # of an evening visit, whose UTC day is another
    "utc_day": Decimal("1.5"),  # the visit's day in UTC, which is not its own
    "one_day": Decimal("1.5"),
    "two_days": Decimal("-0.5"),
    "three_days": Decimal("-1.0"),
    "same_provider": Decimal("3.0"),
    "supervisor": Decimal("2.0"),
    "other_provider": Decimal("-1.0"),
    "same_department": Decimal("1.5"),
    "other_department": Decimal("-1.0"),
    "procedures_agree": Decimal("2.5"),  # the visit documents what the record bills and no more
    "one_procedure": Decimal("2.5"),  # and it is a single one
    "procedures_within": Decimal("2.5"),  # and more
    "procedures_some": Decimal("1.25"),
    "procedures_family": Decimal("-1.0"),  # only a visit of another level
    "procedures_differ": Decimal("-4.0"),
    "diagnoses_agree": Decimal("1.0"),  # the record has what the visit documents and no more
    "diagnoses_within": Decimal("1.0"),  # and the visit more
    "diagnoses_some": Decimal("0.5"),
    "diagnoses_differ": Decimal("-0.5"),
    "taken": Decimal("-3.0"),  # another record of that kind names the visit by id
    "billed_again": Decimal("-3.0"),  # and bills the same services: either is the other's copy
    "billed_other": Decimal(
        "-1.0"
    ),  # and bills other services, of another kind: they may be parts of one bill
    "billed_rest": Decimal("1.5"),  # and bills the rest of what the visit documents: one bill in two
    "free": Decimal(0),
    "awaited": Decimal("1.5"),  # the appointment says that such a record exists, and none names it by id
    "not_expected": Decimal("-2.5"),  # "charge entry not required"
    "did_not_happen": Decimal("-6.0"),  # cancelled, or nobody checked in
}


def weights_of(practice_id: int) -> Mapping[str, Decimal]:
    """The active version of claims' weights, over the shipped ones."""
    row = Weights.objects.for_practice(practice_id).filter(active=True).first()
    return {**SHIPPED, **{name: Decimal(points) for name, points in row.points.items()}} if row else SHIPPED


POINTS = "select * from unnest(%(levels)s::text[], %(points)s::numeric[], %(strays)s::numeric[])"


def weighing(weights: Mapping[str, Decimal]) -> Mapping[str, Any]:
    """The values of POINTS, which is what scope_weight holds."""
    levels = [name for name in weights if not name.startswith(STRAY)]
    return {
        "levels": levels,
        "points": [weights[level] for level in levels],
        "strays": [weights.get(STRAY + level, Decimal(0)) for level in levels],
    }
