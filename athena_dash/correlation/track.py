"""A visit and its open gaps → the eight letters of its track: how far it came and where the link is broken.

Nodes: scheduled arrived documented signed charged claimed billed paid. D done, C current (the next thing to
happen), M missing (a gap says so), F failed, - not reached, N does not apply.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from athena_dash.correlation.rules.base import Suppressor
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.statuses import ClaimStage

NODES = ("scheduled", "arrived", "documented", "signed", "charged", "claimed", "billed", "paid")
SCHEDULED, ARRIVED, DOCUMENTED, SIGNED, CHARGED, CLAIMED, BILLED, PAID = range(8)

# Which node a gap leaves hollow.
BROKEN_NODE = {
    "G01": ARRIVED,
    "G02": CHARGED,
    "G03": DOCUMENTED,
    "G04": DOCUMENTED,
    "G05": CHARGED,
    "G11": SIGNED,
    "G12": SIGNED,
    "G13": CHARGED,
    "G14": CLAIMED,
    "G15": CHARGED,
    "G16": CHARGED,
    "G18": CHARGED,
    "G22": CLAIMED,
    "G23": CLAIMED,
    "G24": BILLED,
    "G25": BILLED,
    "G26": BILLED,
    "G27": BILLED,
    "G29": PAID,
    "G31": BILLED,
    "G33": PAID,
    "G34": PAID,
    "G39": PAID,
    "G45": PAID,
}
DRAWN = 1_000  # tracks remembered: a practice's visits have a few dozen
UNBILLED = (
    ClaimStage.HOLD,
    ClaimStage.MANAGER_HOLD,
    ClaimStage.VENDOR_HOLD,
    ClaimStage.READY,
    ClaimStage.MISSING,
)


def track(
    visit: VisitFacts, suppressed: Suppressor | None, open_codes: Collection[str], failed: Collection[str]
) -> str:
    """`failed`: codes among the open ones whose missing record we failed to take in (verdict not synced)."""
    return drawn(
        reached(visit),
        visit.appointment is not None,
        visit.documents,
        suppressed,
        tuple(open_codes),
        tuple(failed),
    )


@lru_cache(DRAWN)
def drawn(
    done: tuple[bool, ...],
    booked: bool,
    documents: bool,
    suppressed: Suppressor | None,
    open_codes: tuple[str, ...],
    failed: tuple[str, ...],
) -> str:
    letters = ["D" if one else "-" for one in done]
    if not booked:
        letters[SCHEDULED] = letters[ARRIVED] = "N"
    if not documents:
        letters[DOCUMENTED] = letters[SIGNED] = "N"
    if suppressed is Suppressor.EPISODE:  # its clinical half is due like any other's
        letters[CHARGED:] = ["N" if letter == "-" else letter for letter in letters[CHARGED:]]
    elif suppressed is not None:
        return "".join("N" if letter == "-" else letter for letter in letters)
    for code in open_codes:
        if code in BROKEN_NODE:
            letters[BROKEN_NODE[code]] = "F" if code in failed else "M"
    if "M" not in letters and "F" not in letters and "-" in letters:
        letters[letters.index("-")] = "C"
    return "".join(letters)


def reached(visit: VisitFacts) -> tuple[bool, ...]:
    """A later step proves the earlier ones of its own rail, not those of the other rail."""
    claims = visit.live_claims
    paid = bool(claims) and not [claim for claim in claims if not settled(claim)]
    billed = paid or (bool(claims) and not [claim for claim in claims if not submitted(claim)])
    arrived = visit.status in ("2", "3", "4")
    signed = visit.signed
    documented = signed or bool([e for e in visit.encounters if e.status in ("OPEN", "REVIEW")])
    charged = bool(claims) or (visit.status == "4" and not visit.claims)
    return (visit.status != "", arrived, documented, signed, charged, bool(claims), billed, paid)


def submitted(claim: ClaimFacts) -> bool:
    primary = claim.slots[0].stage if claim.slots else ClaimStage.NONE
    return primary not in UNBILLED


def settled(claim: ClaimFacts) -> bool:
    """Nothing left to come from anybody (state S25)."""
    return bool(claim.slots) and claim.settled
