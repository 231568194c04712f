"""How often things go wrong in a practice, as shares of the occasions on which they can.

`usual`  a believable practice: most of its visits go well.
`often`  the same people on bad terms with their software: every cause is common, so that a population of some
         thousand visits has hundreds of each. Its share of half-complete visits is no practice's.
`even`   as often, and what is rare even then is made as common as the rest: to score every cause on one population.
`stopped` as usual, and beside it departments hold clinics; one provider's charges of a day are never entered.

These are habits of the simulated people; how long each takes stands in `lag`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mishaps:
    """`forgotten`: how many times as much of what people put off is never done at all. `strain`: the share of recent
    work that waits like the slowest part."""

    forgotten: float = 1.0
    strain: float = 0.16
    no_shows: float = 0.05
    arrival_not_noted: float = 0.014
    left_unseen: float = 0.008
    slip_waived: float = 0.012
    billed_by_hand: float = 0.012
    line_left_off: float = 0.025
    not_checked_out: float = 0.0  # beside the sites' own habits, for good
    left_open: float = 0.0  # neither signed nor checked out, ever
    cosigned: float = 0.0  # of every clinician's notes, beside the usual ones
    note_reopened: float = 0.015
    card_left_out: float = 0.006
    billable_orders: float = 0.4  # of encounters that are orders only
    orders_only: float = 0.025  # beside visits, per visit
    outside_results: float = 0.005  # likewise
    held_by_vendor: float = 0.0  # of claims, beside the usual ones
    voided: float = 0.03
    not_replaced: float = 0.14  # of voided claims
    rejected: float = 0.025
    batch_stuck: float = 0.012
    line_denied: float = 0.05
    overpaid: float = 0.006
    charged_late: float = 0.02
    second_forgotten: float = 0.05
    charges_stop: int = 0  # days of clinics on which one provider's are never entered


OFTEN = Mishaps(
    forgotten=8.0,
    strain=0.4,
    arrival_not_noted=0.06,
    left_unseen=0.05,
    slip_waived=0.05,
    line_left_off=0.25,
    note_reopened=0.06,
    card_left_out=0.10,
    orders_only=0.10,
    billable_orders=0.6,
    voided=0.10,
    not_replaced=0.5,
    rejected=0.12,
    batch_stuck=0.15,
    line_denied=0.35,
    overpaid=0.08,
    charged_late=0.15,
    second_forgotten=0.4,
)

MISHAPS = {
    "usual": Mishaps(),
    "often": OFTEN,
    "stopped": Mishaps(charges_stop=2),
    "even": replace(
        OFTEN,
        no_shows=0.12,
        slip_waived=0.10,
        left_unseen=0.07,
        line_left_off=0.6,
        not_checked_out=0.05,
        left_open=0.07,
        note_reopened=0.14,
        cosigned=0.4,
        outside_results=0.02,
        held_by_vendor=0.2,
        card_left_out=0.2,
        voided=0.14,
        rejected=0.18,
        batch_stuck=0.3,
        overpaid=0.12,
        charged_late=0.25,
        second_forgotten=0.6,
    ),
}
