"""The correlation stage by itself: records put straight into their tables, in any order, then correlated."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import transaction

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Link, Visit
from athena_dash.correlation.service import Evidence, correlate, judge_visits
from athena_dash.practices.models import Practice
from athena_dash.records.facts import SLOTS
from athena_dash.records.models import Claim

WEDNESDAY = dt.date(2026, 3, 4)
NOON = dt.datetime(2026, 3, 4, 17, tzinfo=dt.UTC)  # in New York

Row = tuple[str, dict[str, Any]]
"""A records table's name and one row's columns."""


class Office:
    """One practice, and short ways to say what athena sent and what came of it."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.id = practice.pk

    def receive(self, *rows: Row, evidence: Evidence | None = None) -> set[int]:
        """Write these records, correlate what changed, judge the visits."""
        touched: dict[str, set[str]] = defaultdict(set)
        with transaction.atomic():
            for table, columns in rows:
                model: Any = apps.get_model("records", table)
                if table == "claim":
                    columns = self.dated(columns)
                model.objects.update_or_create(
                    practice_id=self.id,
                    external_id=columns["external_id"],
                    defaults={"fetched_at": clock.now()} | columns,
                )
                touched[table].add(columns["external_id"])
            return self.correlate(touched, evidence)

    def dated(self, claim: dict[str, Any]) -> dict[str, Any]:
        """As records.upsert dates what changes of a claim."""
        known = Claim.objects.filter(practice_id=self.id, external_id=claim["external_id"]).first()
        if known is None or known.first_seen is None:
            return {"first_seen": clock.now()} | claim
        changed = [
            slot
            for slot in SLOTS
            if claim.get(f"{slot}_status", was := getattr(known, f"{slot}_status")) != was
        ]
        return {f"{slot}_since": clock.now() for slot in changed} | claim

    def correlate(self, touched: dict[str, set[str]], evidence: Evidence | None = None) -> set[int]:
        visits = correlate(self.id, touched)
        judge_visits(self.id, visits, evidence or Evidence())
        return visits

    def link(self, kind: str, record_id: str) -> Link:
        link: Link = Link.objects.get(practice_id=self.id, kind=kind, record_id=record_id)
        return link

    def where(self, kind: str, record_id: str) -> str:
        """The anchor of the visit that a record was tied to, or the state of its link."""
        link = self.link(kind, record_id)
        return f"{link.visit.anchor} {link.visit.anchor_id}" if link.visit else str(link.state)

    def visit(self, anchor_id: str) -> Visit:
        visit: Visit = Visit.objects.get(practice_id=self.id, anchor_id=anchor_id)
        return visit

    def gaps(self, anchor_id: str) -> dict[str, Gap]:
        rows: Iterable[Gap] = Gap.objects.filter(visit=self.visit(anchor_id), closed_at__isnull=True)
        return {gap.code: gap for gap in rows}

    def picture(self) -> list[tuple[object, ...]]:
        """Everything that was concluded, without row ids: equal pictures mean equal conclusions."""
        links = Link.objects.filter(practice_id=self.id).order_by("kind", "record_id")
        visits = Visit.objects.filter(practice_id=self.id).order_by("anchor", "anchor_id")
        gaps = Gap.objects.filter(practice_id=self.id, closed_at__isnull=True).order_by(
            "visit__anchor_id", "code"
        )
        return [
            *links.values_list("kind", "record_id", "visit__anchor_id", "state", "method", "score"),
            *visits.values_list("anchor", "anchor_id", *PROJECTED),
            *gaps.values_list("visit__anchor_id", "code", "primary", "since", "sentence", "verdict"),
        ]


PROJECTED = ("patient_id", "service_date", "payer_name", "charges", "track", "suppressor", "reconsider_at")


def an_appointment(id: str, **columns: Any) -> Row:
    """Seen on a Wednesday in March, checked out at noon."""
    columns = {
        "external_id": id,
        "patient_id": "7",
        "department_id": "1",
        "provider_id": "71",
        "date": WEDNESDAY,
        "starts_at": NOON - dt.timedelta(hours=1),
        "checked_in_at": NOON - dt.timedelta(hours=1),
        "checked_out_at": NOON,
        "status": "3",
        "type_name": "Office visit",
    } | columns
    return "appointment", columns


def an_encounter(id: str, **columns: Any) -> Row:
    """Signed the same day; names no appointment unless told."""
    columns = {
        "external_id": id,
        "patient_id": "7",
        "department_id": "1",
        "provider_id": "71",
        "date": WEDNESDAY,
        "kind": "VISIT",
        "status": "CLOSED",
        "closed_on": WEDNESDAY,
    } | columns
    return "encounter", columns


def a_claim(id: str, **columns: Any) -> Row:
    """Billed to the primary payer the next day; names no appointment unless told."""
    columns = {
        "external_id": id,
        "patient_id": "7",
        "department_id": "1",
        "billed_provider_id": "71",
        "service_date": WEDNESDAY,
        "created_date": WEDNESDAY + dt.timedelta(days=1),
        "primary_status": "BILLED",
        "primary_insurance_id": "500",
        "secondary_status": "CLOSED",
        "patient_status": "CLOSED",
        "procedure_codes": ["99213"],
    } | columns
    return "claim", columns


def a_line(id: str, claim_id: str, amount: str = "180.00", **columns: Any) -> Row:
    columns = {
        "external_id": id,
        "claim_id": claim_id,
        "procedure_code": "99213",
        "amount": Decimal(amount),
        "posted_on": WEDNESDAY + dt.timedelta(days=1),
    } | columns
    return "chargeline", columns


def a_service(id: str, encounter_id: str, code: str = "99213", **columns: Any) -> Row:
    return "serviceline", {"external_id": id, "encounter_id": encounter_id, "procedure_code": code} | columns


def a_result(id: str, **columns: Any) -> Row:
    columns = {
        "external_id": id,
        "resource": "Observation",
        "patient_id": "7",
        "at": NOON,
        "code": "718-7",
    } | columns
    return "clinicalfact", columns


def a_patient(id: str, **columns: Any) -> Row:
    return "patient", {"external_id": id} | columns
