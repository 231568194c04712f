"""Gaps that the connected data cannot decide: off, each with the source it waits for. No rule pretends to them.

athenaOne's REST API carries neither remittances nor acknowledgements (revenue-cycle.md §9). Authorizations, receipts
and statements it does have, a call per patient each, in shapes that nobody has recorded (athena-api.md §2.2): a rule on
a guessed shape would be a guess. A provider who is not enrolled is seen in the notes of holds, which G24 names and the
shared causes gather; only a remittance says so of every claim. Money taken back, or not applied, leaves no trace in the
sums per line. G19 is not here: services signed without any appointment are found by G23, sooner.
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
    Unconnected(
        "G09",
        "Authorization missing",
        "authorizations and referrals of each patient (/referralauths), not read yet",
        "revenue-cycle.md §2.1 G09",
    ),
    Unconnected(
        "G10",
        "Copay not collected",
        "receipts of the front desk (/receipts), not read yet",
        "revenue-cycle.md §2.1 G10",
    ),
    Unconnected("G28", "Submitted, never acknowledged", ACKNOWLEDGEMENTS, "revenue-cycle.md §2.3 G28"),
    Unconnected("G30", "Payer asks for documents", "claim status answers (277)", "revenue-cycle.md §2.3 G30"),
    Unconnected(
        "G32",
        "Provider not enrolled",
        f"{REMITTANCES} with their reasons; holds that say so are shown as one cause",
        "revenue-cycle.md §2.3 G32",
    ),
    Unconnected("G37", "Paid, not posted", REMITTANCES, "revenue-cycle.md §2.4 G37"),
    Unconnected("G38", "Payment for an unknown claim", REMITTANCES, "revenue-cycle.md §2.4 G38"),
    Unconnected(
        "G40",
        "Payment taken back",
        f"{REMITTANCES}: a smaller sum paid may as well be a correction",
        "revenue-cycle.md §2.4 G40",
    ),
    Unconnected(
        "G42",
        "Patient's balance stalled",
        "the days of patient statements (/patientstatement), not read yet",
        "revenue-cycle.md §2.4 G42",
    ),
    Unconnected(
        "G43",
        "Money not applied",
        "patients' unapplied credits: the sums per charge line do not show them",
        "revenue-cycle.md §2.4 G43",
    ),
)
