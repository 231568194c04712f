"""athena's claim status word, an open set, → the stage it stands for, who acts next, and plain English.

Words of revenue-cycle.md §1.2. A practice may say what a word of its own means (policy `claim_status.{WORD}`,
value a stage); any other unknown word means stage "other" and is reported by `unmapped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class ClaimStage(StrEnum):
    MISSING = "missing"  # athena's own worklist of visits without charges
    HOLD = "hold"
    MANAGER_HOLD = "manager_hold"
    VENDOR_HOLD = "vendor_hold"
    READY = "ready"
    BILLED = "billed"
    FOLLOWUP = "followup"
    APPEALED = "appealed"
    OVERPAID = "overpaid"
    COLLECT = "collect"
    FULLY_WORKED = "fully_worked"  # athena pursues it no further
    CLOSED = "closed"
    NONE = "none"  # the slot is empty
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Meaning:
    stage: ClaimStage
    owner: str
    plain: str
    ours: bool  # whether the practice's own staff must act

    @property
    def known(self) -> bool:
        return self.stage is not ClaimStage.OTHER


STAGES: Mapping[ClaimStage, Meaning] = {
    meaning.stage: meaning
    for meaning in (
        Meaning(ClaimStage.MISSING, "front desk", "no charges entered", ours=True),
        Meaning(ClaimStage.HOLD, "biller", "held for the practice to fix", ours=True),
        Meaning(ClaimStage.MANAGER_HOLD, "billing manager", "held for the billing manager", ours=True),
        Meaning(ClaimStage.VENDOR_HOLD, "athena", "held by athenahealth", ours=False),
        Meaning(ClaimStage.READY, "athena", "ready to submit", ours=False),
        Meaning(ClaimStage.BILLED, "payer", "submitted, awaiting the payer", ours=False),
        Meaning(ClaimStage.FOLLOWUP, "payer", "no payer answer, being followed up", ours=False),
        Meaning(ClaimStage.APPEALED, "biller", "under appeal", ours=True),
        Meaning(ClaimStage.OVERPAID, "biller", "paid more than was owed", ours=True),
        Meaning(ClaimStage.COLLECT, "patient", "patient owes a balance", ours=False),
        Meaning(ClaimStage.FULLY_WORKED, "billing manager", "given up by athenahealth", ours=True),
        Meaning(ClaimStage.CLOSED, "nobody", "no balance here", ours=False),
        Meaning(ClaimStage.NONE, "nobody", "not used", ours=False),
        Meaning(ClaimStage.OTHER, "admin", "status we do not know", ours=True),
    )
}

WORDS: Mapping[str, Meaning] = {
    "": STAGES[ClaimStage.NONE],
    "MISSING": STAGES[ClaimStage.MISSING],
    "HOLD": STAGES[ClaimStage.HOLD],
    "PROVHOLD": replace(STAGES[ClaimStage.HOLD], owner="provider", plain="held for the provider"),
    "MGRHOLD": STAGES[ClaimStage.MANAGER_HOLD],
    "CBOHOLD": replace(STAGES[ClaimStage.VENDOR_HOLD], plain="held by the central billing office"),
    "ATHENAHOLD": STAGES[ClaimStage.VENDOR_HOLD],
    "DROP": STAGES[ClaimStage.READY],
    "ATHENADROP": replace(STAGES[ClaimStage.READY], plain="forced to paper before the filing limit"),
    "BILLED": STAGES[ClaimStage.BILLED],
    "FOLLOWUP": STAGES[ClaimStage.FOLLOWUP],
    "APPEALED": STAGES[ClaimStage.APPEALED],
    "OVERPAID": STAGES[ClaimStage.OVERPAID],
    "COLLECT": STAGES[ClaimStage.COLLECT],
    "FWR": STAGES[ClaimStage.FULLY_WORKED],
    "CLOSED": STAGES[ClaimStage.CLOSED],
}

EXPLANATIONS = frozenset(stage.value for stage in ClaimStage)
NO_OVERRIDES: Mapping[str, str] = {}


def meaning(raw: str, overrides: Mapping[str, str] = NO_OVERRIDES) -> Meaning:
    """`overrides`: the practice's own words, upper-case → stage."""
    word = raw.strip().upper()
    if (stage := overrides.get(word)) in EXPLANATIONS:
        return STAGES[ClaimStage(stage)]
    return WORDS.get(word, STAGES[ClaimStage.OTHER])


def unmapped(words: Iterable[str], overrides: Mapping[str, str] = NO_OVERRIDES) -> frozenset[str]:
    """Words nobody has explained yet, for the admin."""
    return frozenset(word for word in words if not meaning(word, overrides).known)
