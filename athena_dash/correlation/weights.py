"""What a fact of a record without an id says for or against a visit, in points: the one table that the scoring SQL
takes as parameters and the screens explain.

The best candidate must reach the threshold and lead the second by the margin, else a person chooses, down to the
review floor.
Precision before recall: a wrong link shown as fact hides money (revenue-cycle.md §7.1, §7.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

WINDOW_DAYS = 3
CANDIDATES_KEPT = 5
WEIGHTS: Mapping[str, Decimal] = {
    "threshold": Decimal("5.0"),
    "margin": Decimal("2.0"),
    "review_floor": Decimal("3.5"),
    "same_day": Decimal("4.0"),
    "one_day": Decimal("1.5"),
    "two_days": Decimal("-0.5"),
    "three_days": Decimal("-1.0"),
    "same_provider": Decimal("3.0"),
    "supervisor": Decimal("2.0"),
    "other_provider": Decimal("-1.0"),
    "same_department": Decimal("1.5"),
    "other_department": Decimal("-1.0"),
    # In proportion to the share of the record's codes that the visit documents; `differ` when it documents none.
    "procedures_agree": Decimal("2.5"),
    "procedures_differ": Decimal("-4.0"),
    "diagnoses_agree": Decimal("1.0"),
    "diagnoses_differ": Decimal("-0.5"),
    "taken": Decimal("-3.0"),  # another record of that kind names the visit by id
    "awaited": Decimal("1.5"),  # the appointment says that such a record exists, and none names it by id
    "not_expected": Decimal("-2.5"),  # "charge entry not required"
    "did_not_happen": Decimal("-6.0"),  # cancelled, or nobody checked in
}
