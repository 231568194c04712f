"""Everything the rules may know about one visit, frozen: the records linked to it, and what stands around it.

Built in sets by `dossier`. Instants are aware UTC, dates department-local, money Decimal dollars, ids text.
Records the source no longer has are already left out. What many rules ask of a visit or a claim is worked out once
(`dict=True` gives cached_property its place); nothing here can refer to itself, so the collector need not look
(`gc=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from django.utils.functional import cached_property  # without the lock of functools

from athena_dash.practices.statuses import ClaimStage

SETTLED = (ClaimStage.CLOSED, ClaimStage.NONE)
NOTHING = Decimal(0)
NO_USUAL: Mapping[str, Decimal] = {}


class AppointmentFacts(msgspec.Struct, frozen=True, gc=False):
    id: str
    status: str = ""
    starts_at: datetime | None = None
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    exam_done_at: datetime | None = None
    cancelled_at: datetime | None = None
    no_show: bool = False
    rescheduled_to: str = ""
    charge_entry_not_required: bool = False
    charge_entry_not_required_reason: str = ""
    encounter_id: str = ""
    encounter_state: str = ""
    encounter_status: str = ""
    gone: bool = False


class EncounterFacts(msgspec.Struct, frozen=True, gc=False):
    id: str
    kind: str = ""
    status: str = ""
    closed_on: date | None = None
    reopened_on: date | None = None
    ended_at: datetime | None = None


class ServiceFacts(msgspec.Struct, frozen=True, gc=False):
    """A documented service; `bill` is athena's billforservice. `units` None: not said, so one."""

    procedure_code: str
    bill: bool = True
    units: Decimal | None = None


class LineFacts(msgspec.Struct, frozen=True, gc=False):
    procedure_code: str
    amount: Decimal = Decimal(0)
    payments: Decimal | None = None
    outstanding: Decimal | None = None
    posted_on: date | None = None
    units: Decimal | None = None
    adjustments: Decimal | None = None
    holder: str = ""  # who owes what is outstanding: PRIMARY, SECONDARY, PATIENT


class SlotFacts(msgspec.Struct, frozen=True, gc=False):
    """One payer column of a claim. `since` is when we first saw the status; `from_backfill`: it may be older."""

    name: str
    raw: str
    stage: ClaimStage
    since: datetime | None = None
    from_backfill: bool = False


class ClaimFacts(msgspec.Struct, frozen=True, dict=True):
    id: str
    service_date: date | None = None
    created_on: date | None = None
    billed_provider_id: str = ""
    slots: tuple[SlotFacts, ...] = ()
    lines: tuple[LineFacts, ...] = ()
    notes: tuple[ClaimStage, ...] = ()  # the stages its notes tell of, oldest first: undated, but in order
    second_policy: bool = False  # a secondary insurance stands on it
    last_note: str = ""  # what the newest note says of the payer: "denied", "rejected" or nothing
    denied: bool = False  # some note, the newest or not, tells of a denial

    @cached_property
    def charged(self) -> Decimal:
        return sum([line.amount for line in self.lines], NOTHING)

    @cached_property
    def outstanding(self) -> Decimal | None:
        """None until `/claimtransactions` was read."""
        known = [line.outstanding for line in self.lines if line.outstanding is not None]
        return sum(known, NOTHING) if known else None

    @cached_property
    def paid(self) -> Decimal | None:
        """By anybody. None until `/claimtransactions` was read."""
        known = [line.payments for line in self.lines if line.payments is not None]
        return sum(known, NOTHING) if known else None

    @property
    def voided(self) -> bool:
        """v1 has no such flag: a voided claim's lines net to zero and every slot is closed (athena-api.md
        §2.2).

        A claim of $0 lines (a 99024 post-operative visit) nets to zero too, but none of its lines is worth
        anything.
        """
        reversed_ = self.settled and [line for line in self.lines if line.amount < NOTHING]
        return bool(reversed_) and not self.charged

    @cached_property
    def settled(self) -> bool:
        """Nothing is left to come in any of its payer columns."""
        return not [slot for slot in self.slots if slot.stage not in SETTLED]

    @property
    def balanced(self) -> bool:
        """Settled, and no line has anything left, or too much."""
        return self.settled and not [line for line in self.lines if line.outstanding]


class CoverFacts(msgspec.Struct, frozen=True, gc=False):
    """The policy the visit is billed to, else the patient's first. athena keeps the latest eligibility answer only."""

    status: str = ""  # Eligible | Ineligible | Unverified
    checked_on: date | None = None
    expires_on: date | None = None
    cancelled_on: date | None = None


class EpisodeFacts(msgspec.Struct, frozen=True, gc=False):
    """A claim that is not the visit's own and pays for it all the same, until `ends_on`; so since `since`."""

    claim_id: str
    kind: str
    ends_on: date
    since: datetime | None = None


class Neighbours(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Visits of the same department around that day, and how many were charged (discriminator D8)."""

    charged: int = 0
    visits: int = 0


Said = tuple[str | None, str, datetime | None]
"""What its last judging said: suppressor (None: never judged), track, when to look again."""


class VisitFacts(msgspec.Struct, frozen=True, dict=True):
    id: int
    anchor: str
    zone: ZoneInfo
    service_date: date | None = None
    patient_id: str = ""
    department_id: str = ""
    provider_id: str = ""
    visit_type: str = ""
    place_of_service: str = ""
    clinicals: bool = True  # false: visits of this department make no encounter
    provider_documents: bool = True  # false: check-in with this provider makes no encounter
    payer_name: str = ""
    insurance_type: str = ""
    appointment: AppointmentFacts | None = None
    encounters: tuple[EncounterFacts, ...] = ()
    services: tuple[ServiceFacts, ...] = ()
    claims: tuple[ClaimFacts, ...] = ()
    cover: CoverFacts | None = None
    insured: bool = False  # of a visit billed to nobody: the patient had a policy in force that day
    results: tuple[str, ...] = ()  # LOINC codes of its observations; read only where the practice lists any
    usual: Mapping[str, Decimal] = NO_USUAL  # what its payer allows, by procedure, as learned
    episode: EpisodeFacts | None = None
    possible_claims: tuple[str, ...] = ()  # in review, with this visit among the candidates
    neighbours: Neighbours = Neighbours()
    said: Said = (None, "", None)

    @cached_property
    def live_claims(self) -> tuple[ClaimFacts, ...]:
        return tuple([claim for claim in self.claims if not claim.voided])

    @cached_property
    def open_slots(self) -> tuple[tuple[ClaimFacts, SlotFacts], ...]:
        """The payer columns of live claims in which anything is still to come."""
        unsettled = [claim for claim in self.live_claims if not claim.settled]
        return tuple(
            [(claim, slot) for claim in unsettled for slot in claim.slots if slot.stage not in SETTLED]
        )

    @cached_property
    def settled(self) -> bool:
        """It has a live claim, and of none is anything still to come or to give back, in any column or line."""
        return bool(self.live_claims) and not [claim for claim in self.live_claims if not claim.balanced]

    @cached_property
    def status(self) -> str:
        return self.appointment.status if self.appointment else ""

    @cached_property
    def billable_services(self) -> tuple[ServiceFacts, ...]:
        return tuple([service for service in self.services if service.bill])

    @cached_property
    def signed(self) -> bool:
        """Every encounter that counts is closed. The appointment's word is used only while no encounter is
        here."""
        counting = [e for e in self.encounters if e.status not in ("DELETED", "TEMP", "")]
        if counting:
            return not [e for e in counting if e.status != "CLOSED"]
        return self.appointment is not None and self.appointment.encounter_state == "CLOSED"

    @property
    def documents(self) -> bool:
        """Whether this visit is expected to have an encounter at all."""
        return bool(self.encounters) or (self.clinicals and self.provider_documents)

    @cached_property
    def signed_on(self) -> date | None:
        return max((e.closed_on for e in self.encounters if e.closed_on), default=None)
