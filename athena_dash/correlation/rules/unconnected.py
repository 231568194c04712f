"""Gaps that the connected data cannot decide: off, each with the source it waits for. No rule pretends to them.

athenaOne's REST API carries neither remittances nor acknowledgements (revenue-cycle.md §9).
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
    Unconnected("G27", "Rejected, not worked", ACKNOWLEDGEMENTS, "revenue-cycle.md §2.3 G27"),
    Unconnected("G28", "Submitted, never acknowledged", ACKNOWLEDGEMENTS, "revenue-cycle.md §2.3 G28"),
    Unconnected("G30", "Payer asks for documents", "claim status answers (277)", "revenue-cycle.md §2.3 G30"),
    Unconnected("G34", "Appeal deadline near", REMITTANCES, "revenue-cycle.md §2.4 G34"),
    Unconnected("G35", "Partly denied, shown as paid", REMITTANCES, "revenue-cycle.md §2.4 G35"),
    Unconnected("G36", "Underpaid", f"{REMITTANCES} and contract rates", "revenue-cycle.md §2.4 G36"),
    Unconnected("G37", "Paid, not posted", REMITTANCES, "revenue-cycle.md §2.4 G37"),
    Unconnected("G38", "Payment for an unknown claim", REMITTANCES, "revenue-cycle.md §2.4 G38"),
    Unconnected("G39", "Secondary not billed", REMITTANCES, "revenue-cycle.md §2.4 G39"),
    Unconnected("G40", "Payment taken back", REMITTANCES, "revenue-cycle.md §2.4 G40"),
)
