"""A visit's records into what stands behind each node of its track: which record, since when, linked how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from athena_dash.core.templatetags.track import Node, nodes
from athena_dash.correlation.decisions import may_decide
from athena_dash.correlation.models import Link
from athena_dash.practices.statuses import ClaimStage, meaning
from athena_dash.worklist.visit_records import VisitRecords

UNSUBMITTED = {
    ClaimStage.MISSING,
    ClaimStage.HOLD,
    ClaimStage.MANAGER_HOLD,
    ClaimStage.VENDOR_HOLD,
    ClaimStage.READY,
    ClaimStage.NONE,
    ClaimStage.OTHER,
}


@dataclass(frozen=True)
class Proof:
    """`at` is the source's own time: an instant, or a date where athena says no more. `read_at` is ours."""

    record: str  # "appointment 1201"
    says: str
    at: dt.datetime | dt.date | None
    read_at: dt.datetime | None
    link: Link | None  # an appointment has none: it is the visit

    @property
    def method(self) -> str:
        return Link.Method(self.link.method if self.link else Link.Method.ANCHOR).label

    @property
    def may_change(self) -> bool:
        """Whether a person may tie the record elsewhere, or to nothing."""
        return self.link is not None and may_decide(self.link)

    @property
    def points(self) -> list[tuple[str, Any]]:
        """What the link rests on, each fact with its value; candidates have their own screen."""
        if not self.link:
            return []
        told = {k: v for k, v in self.link.evidence.items() if k != "candidates" and not isinstance(v, list)}
        flat: list[tuple[str, Any]] = []
        for name, value in told.items():
            flat += list(value.items()) if isinstance(value, dict) else [(name.replace("_", " "), value)]
        return flat


@dataclass(frozen=True)
class Step:
    """A node of the large track with its proofs; none means that nothing we have read shows it."""

    node: Node
    proofs: tuple[Proof, ...]


def steps(records: VisitRecords, track: str) -> list[Step]:
    return [Step(node, tuple(prove(records))) for node, prove in zip(nodes(track), PROVERS, strict=True)]


def _scheduled(records: VisitRecords) -> list[Proof]:
    return [
        _proof(records, "appointment", a, f"Booked for {a.type_name or 'a visit'}", a.scheduled_at)
        for a in records.appointments
    ]


def _arrived(records: VisitRecords) -> list[Proof]:
    return [
        _proof(records, "appointment", a, "Checked in", a.checked_in_at)
        for a in records.appointments
        if a.checked_in_at
    ]


def _documented(records: VisitRecords) -> list[Proof]:
    return [
        _proof(records, "encounter", e, f"Encounter {e.status.lower() or 'seen'}", e.started_at or e.date)
        for e in records.encounters
    ]


def _signed(records: VisitRecords) -> list[Proof]:
    signed = [e for e in records.encounters if e.closed_on and e.status == "CLOSED"]
    return [_proof(records, "encounter", e, "Signed and closed", e.closed_on) for e in signed]


def _charged(records: VisitRecords) -> list[Proof]:
    proofs = []
    for claim in records.claims:
        lines = [line for line in records.lines if line.claim_id == claim.external_id]
        posted = min((line.posted_on for line in lines if line.posted_on), default=None)
        if lines:
            says = f"{len(lines)} charge line{'s' if len(lines) > 1 else ''} on claim {claim.external_id}"
            proofs.append(_proof(records, "claim", claim, says, posted))
    return proofs


def _claimed(records: VisitRecords) -> list[Proof]:
    return [_proof(records, "claim", claim, "Claim created", claim.created_date) for claim in records.claims]


def _billed(records: VisitRecords) -> list[Proof]:
    proofs = []
    for claim in records.claims:
        told = meaning(claim.primary_status, records.policies.claim_statuses)
        if told.stage in UNSUBMITTED:
            continue
        submitted = [
            status
            for status in records.statuses
            if status.claim_id == claim.external_id
            and status.slot == "primary"
            and meaning(status.status, records.policies.claim_statuses).stage not in UNSUBMITTED
        ]
        says = f"Primary payer {claim.primary_status}: {told.plain}"
        proofs.append(_proof(records, "claim", claim, says, submitted[0].first_seen if submitted else None))
    return proofs


def _paid(records: VisitRecords) -> list[Proof]:
    proofs = []
    for claim in records.claims:
        lines = [line for line in records.lines if line.claim_id == claim.external_id]
        received = sum((line.payments for line in lines if line.payments is not None), start=0)
        if received:
            proofs.append(_proof(records, "claim", claim, f"${received:,.2f} received", None))
    return proofs


PROVERS: Sequence[Callable[[VisitRecords], list[Proof]]] = (
    _scheduled,
    _arrived,
    _documented,
    _signed,
    _charged,
    _claimed,
    _billed,
    _paid,
)


def _proof(
    records: VisitRecords, kind: str, record: Any, says: str, at: dt.datetime | dt.date | None
) -> Proof:
    link = records.link(kind, record.external_id)
    return Proof(f"{kind} {record.external_id}", says, at, record.fetched_at, link)
