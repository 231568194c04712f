"""Voids: an edit in a closed period voids the claim and makes another for the visit; some are never remade.

The old claim's lines net to zero, its slots close (revenue-cycle.md §0.9); only the new one is announced.
"""

from __future__ import annotations

from dataclasses import replace as amend
from datetime import datetime, timedelta

from msgspec.structs import replace

from integrations.sandbox.ledger import Cause, truth_key
from integrations.sandbox.population import lag, money
from integrations.sandbox.population.catalogue import FEES
from integrations.sandbox.population.claim import Bill, Paper
from integrations.sandbox.population.office import local_day, staffed
from integrations.sandbox.population.script import Change
from integrations.sandbox.world import Claim


def draw_void(terms: Bill) -> datetime | None:
    """When the claim will be voided, if it will. A claim of nothing but $0 lines shows no void."""
    rng = terms.rng
    if not terms.clinic.errs(terms.clinic.mishaps.voided) or not any(FEES[code][1] for code in terms.codes):
        return None
    return staffed(terms.at + timedelta(days=rng.lognormvariate(1.8, 0.9)), terms.zone, rng)


def void(paper: Paper, began: int, at: datetime) -> Bill | None:
    """Cut the claim's life, told since entry `began`, short at `at`; the terms of its successor, if any."""
    terms, rng = paper.bill, paper.bill.rng
    paper.claim = cut(paper, began, at)
    paper.move(
        at,
        "CLOSED",
        charges=money.reverse(terms.clinic.ids, paper.claim.charges, local_day(at, terms.zone)),
        secondary=paper.slot("secondary", "CLOSED"),
        patient=paper.slot("patient", "CLOSED"),
        voided=True,
    )
    replaced = None
    if not terms.clinic.errs(terms.clinic.mishaps.not_replaced):
        replaced = at + lag.REPLACEMENT.surely(rng)
    terms.script.cause(
        "G22", "voided_to_edit" if replaced else "voided_not_replaced", at, replaced, paper.subject
    )
    if replaced is None:
        terms.script.end("G15", at)  # no claim is left that could lack a line
    return amend(terms, at=replaced) if replaced else None


def cut(paper: Paper, began: int, at: datetime) -> Claim:
    """Drop what the claim's life holds after `at`, end its open causes there; the claim as it stood."""
    script = paper.bill.script
    life, script.entries[began:] = script.entries[began:], []
    claim, causes = paper.claim, dict[tuple[str, str], Cause]()
    for when, entry in sorted(life, key=lambda item: item[0]):
        if when > at:
            continue
        script.entries.append((when, entry))
        if isinstance(entry, Cause):
            causes[truth_key(entry)] = entry
        elif isinstance(entry, Change) and isinstance(entry.thing, Claim):
            claim = entry.thing
    script.entries.extend((at, replace(cause, until=at)) for cause in causes.values() if cause.until is None)
    return claim
