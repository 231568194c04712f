"""A claim on paper: opened with its lines, then moved slot by slot, each move leaving a claim note."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from integrations.sandbox.population.course import Clinic
from integrations.sandbox.population.money import Lines, charge_lines
from integrations.sandbox.population.office import local_day
from integrations.sandbox.population.people import Person
from integrations.sandbox.population.script import Script
from integrations.sandbox.world import Claim, ClaimNote, Diagnosis, PayerSlot


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What is to be billed, to whom, and what a client can know of whose it is."""

    clinic: Clinic
    script: Script
    person: Person
    zone: ZoneInfo
    at: datetime
    codes: tuple[str, ...]
    left_off: tuple[str, ...] = ()  # documented, and forgotten on the claim
    service_day: date
    department_id: str
    billed_provider_id: str
    supervising_provider_id: str | None = None
    appointment_id: str | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    linkable: bool = True
    reason: str | None = None
    card_left_out: bool = False  # insured, and billed as if not

    @property
    def rng(self) -> Random:
        return self.clinic.rng


@dataclass
class Paper:
    """A claim as it stands at the last instant written."""

    bill: Bill
    claim: Claim

    @property
    def subject(self) -> tuple[str, str]:
        return ("claim", self.claim.id)

    def move(
        self,
        at: datetime,
        status: str | None = None,
        text: str | None = None,
        *,
        event: str | None = None,
        **changes: Any,
    ) -> None:
        """`status` is the primary slot's new one, and the claim note's."""
        if status:
            changes["primary"] = replace(self.claim.primary, status=status, note=text)
        if status or text:
            changes["notes"] = (*self.claim.notes, note(self.bill.clinic, status or self.holder(), text))
        self.claim = self.bill.script.put(at, "claim", replace(self.claim, **changes), event)

    def holder(self) -> str:
        """The status of the slot that holds the balance."""
        slots = (self.claim.primary, self.claim.secondary, self.claim.patient)
        return next((slot.status for slot in slots if slot.status != "CLOSED"), "CLOSED")

    def slot(self, name: str, status: str) -> PayerSlot:
        slot: PayerSlot = replace(getattr(self.claim, name), status=status, note=None)
        return slot

    def close(self, at: datetime, lines: Lines, event: str | None = None) -> None:
        self.move(
            at,
            "CLOSED",
            event=event,
            charges=lines,
            secondary=self.slot("secondary", "CLOSED"),
            patient=self.slot("patient", "CLOSED"),
        )


def open_claim(bill: Bill, status: str, text: str | None = None) -> Paper:
    """The claim as created; with nobody insured, the patient holds the balance at once."""
    primary, secondary = bill.person.primary, bill.person.secondary
    day = local_day(bill.at, bill.zone)
    claim = Claim(
        id=bill.clinic.ids.next("claim"),
        modified=bill.at,
        patient_id=bill.person.patient.id,
        department_id=bill.department_id,
        billed_provider_id=bill.billed_provider_id,
        supervising_provider_id=bill.supervising_provider_id,
        service_day=bill.service_day,
        created_at=bill.at,
        appointment_id=bill.appointment_id,
        charges=charge_lines(bill.clinic.ids, bill.codes, day, "PRIMARY" if primary else "PATIENT"),
        diagnoses=bill.diagnoses,
        primary=PayerSlot(
            status=status if primary else "CLOSED", insurance_id=primary.id if primary else None, note=text
        ),
        secondary=PayerSlot(status="CLOSED", insurance_id=secondary.id if secondary else None),
        patient=PayerSlot(status="CLOSED" if primary else "COLLECT"),
        notes=(note(bill.clinic, status if primary else "COLLECT", text),),
    )
    put = bill.script.put
    return Paper(
        bill, put(bill.at, "claim", claim, "UpdateClaim", linkable=bill.linkable, reason=bill.reason)
    )


def note(clinic: Clinic, status: str, text: str | None) -> ClaimNote:
    return ClaimNote(id=clinic.ids.next("note"), status=status, text=text)
