"""Gaps that the connected data cannot decide: off, each with the source it waits for. No rule pretends to them.

athenaOne's REST API carries neither remittances nor acknowledgements (revenue-cycle.md §9). G19 is not here: services
signed without any appointment are found by G23, sooner.
"""

from __future__ import annotations

import msgspec

ACKNOWLEDGEMENTS = "claim acknowledgements (277CA)"
REMITTANCES = "remittances (835)"


class Unconnected(msgspec.Struct, frozen=True):
    code: str
    title: str
    waits_for: str
    source: str


UNCONNECTED = (
    Unconnected("G09", "Authorization missing", "authorizations and referrals", "revenue-cycle.md §2.1 G09"),
    Unconnected("G10", "Copay not collected", "receipts of the front desk", "revenue-cycle.md §2.1 G10"),
    Unconnected("G28", "Submitted, never acknowledged", ACKNOWLEDGEMENTS, "revenue-cycle.md §2.3 G28"),
    Unconnected("G30", "Payer asks for documents", "claim status answers (277)", "revenue-cycle.md §2.3 G30"),
    Unconnected(
        "G32", "Provider not enrolled", f"{REMITTANCES} with their reasons", "revenue-cycle.md §2.3 G32"
    ),
    Unconnected("G37", "Paid, not posted", REMITTANCES, "revenue-cycle.md §2.4 G37"),
    Unconnected("G38", "Payment for an unknown claim", REMITTANCES, "revenue-cycle.md §2.4 G38"),
    Unconnected("G40", "Payment taken back", REMITTANCES, "revenue-cycle.md §2.4 G40"),
    Unconnected(
        "G42", "Patient's balance stalled", "the days of patient statements", "revenue-cycle.md §2.4 G42"
    ),
    Unconnected("G43", "Money not applied", "patients' unapplied credits", "revenue-cycle.md §2.4 G43"),
)
