"""GET /claims by window, /claims/{id} (an object), its transactions and notes (bare arrays)."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import invalid_field, missing_fields, no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.server.v1 import claim_view
from integrations.sandbox.server.wire import EASTERN
from integrations.sandbox.world import Claim

CRITERIA = (
    "appointmentid",
    "patientid",
    "departmentid",
    "providerid",
    "createdstartdate",
    "createdenddate",
    "servicestartdate",
    "serviceenddate",
    "procedurecodes",
)
PENDING = {"Y", "O", "N"}


def list_claims(call: Call) -> object:
    query = call.query
    if all(query.text(name) is None for name in CRITERIA):
        raise missing_fields("createdstartdate", "createdenddate")
    made_first, made_last = query.day("createdstartdate"), query.day("createdenddate")
    served_first, served_last = query.day("servicestartdate"), query.day("serviceenddate")
    where = (
        Filter()
        .among("parent_id", query.texts("appointmentid"))
        .equal("patient_id", query.text("patientid"))
        .equal("department_id", query.text("departmentid"))
        .between("day", served_first, served_last)
        .compare("created", ">=", made_first and midnight(made_first))
        .compare("created", "<", made_last and midnight(made_last + timedelta(days=1)))
    )
    if provider := query.text("providerid"):
        where.matching(
            "? in (json_extract(cast(doc as text), '$.billed_provider_id'),"
            " json_extract(cast(doc as text), '$.supervising_provider_id'))",
            provider,
        )
    if codes := query.texts("procedurecodes"):
        where.matching(
            "exists (select 1 from json_each(cast(doc as text), '$.charges') charge"
            " join json_each(?) wanted on wanted.value = json_extract(charge.value, '$.procedure_code'))",
            json.dumps(codes),
        )
    supervising = query.flag("showsupervisingprovider")
    return listing(
        call,
        "claims",
        Claim,
        where,
        lambda found: [claim_view.own(item, supervising=supervising) for item in found],
    )


def midnight(day: date) -> datetime:
    """The instant an Eastern day begins."""
    return datetime.combine(day, time(), EASTERN)


def get_claim(call: Call) -> object:
    return claim_view.own(find(call))


def claim_transactions(call: Call) -> object:
    claim = find(call)
    return [claim_view.transaction(claim, charge) for charge in claim.charges]


def claim_notes(call: Call) -> object:
    wanted = call.query.text("pendingflags") or "All"
    if wanted.upper() not in {"ALL", *PENDING}:
        raise invalid_field("pendingflags", "PENDINGFLAGS must be Y, O, N or All.")
    notes = find(call).notes
    if wanted.upper() in PENDING:
        notes = tuple(note for note in notes if note.pending == wanted.upper())
    if call.query.flag("showholdonly"):
        notes = tuple(note for note in notes if note.status in claim_view.HOLDS)
    return [claim_view.note(note) for note in notes]


def find(call: Call) -> Claim:
    claim = one(call.store, call.practice, Claim, call.ids["claimid"])
    if claim is None:
        raise no_such("claim")
    return claim


ENDPOINTS = [
    Endpoint("GET", "/claims", list_claims, "claimid"),
    Endpoint("GET", "/claims/{claimid}", get_claim, "claimid"),
    Endpoint("GET", "/claims/{claimid}/claimtransactions", claim_transactions, "transactionid"),
    Endpoint("GET", "/claims/{claimid}/claimnotes", claim_notes, "claimnoteid"),
]
