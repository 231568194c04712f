"""GET /patients (search) and /patients/{id} (a 1-element array)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import missing_fields, no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, many, one
from integrations.sandbox.server.wire import money_text, present, us_day
from integrations.sandbox.world import Claim, Patient

# Explicit nulls of the loose dialect; the strict one omits them (recordings of 2016 and 2020).
NULLS = (
    "caresummarydeliverypreference",
    "contacthomephone",
    "contactmobilephone",
    "employerphone",
    "ethnicitycode",
    "guarantorphone",
    "industrycode",
    "language6392code",
    "nextkinphone",
    "occupationcode",
)
CRITERIA = ("lastname", "firstname", "dob", "departmentid", "primarydepartmentid", "status")


def search_patients(call: Call) -> object:
    query = call.query
    if all(query.text(name) is None for name in CRITERIA):
        raise missing_fields("lastname", "firstname", "dob", "departmentid")
    born = query.day("dob")
    where = (
        Filter()
        .among("department_id", query.texts("departmentid") or query.texts("primarydepartmentid"))
        .equal("$.dob", born and born.isoformat())
    )
    for name, field in (("lastname", "last_name"), ("firstname", "first_name")):
        if given := query.text(name):
            prefix = given.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            where.matching(f"json_extract(cast(doc as text), '$.{field}') like ? escape '\\'", f"{prefix}%")
    # A deleted or merged-away patient is found only when asked for by status.
    where.matching(
        "coalesce(json_extract(cast(doc as text), '$.status'), 'active') = ?",
        query.text("status") or "active",
    )
    return listing(call, "patients", Patient, where, lambda found: render_all(call, found))


def get_patient(call: Call) -> object:
    found = one(call.store, call.practice, Patient, call.ids["patientid"])
    if found is None:
        raise no_such("patient")
    return render_all(call, [found])


def render_all(call: Call, patients: Sequence[Patient]) -> list[object]:
    claims = many(call.store, call.practice, Claim, [patient.id for patient in patients], by="patient_id")
    show_previous = call.query.flag("showpreviouspatientids")
    nulls = {} if call.client.proper_json else dict.fromkeys(NULLS)
    return [nulls | render(patient, claims.get(patient.id, []), show_previous) for patient in patients]


def render(patient: Patient, claims: Sequence[Claim], show_previous: bool) -> dict[str, object]:
    return present(
        patientid=patient.id,
        firstname=patient.first_name,
        lastname=patient.last_name,
        dob=us_day(patient.dob),
        sex=patient.sex,
        status=patient.status,
        departmentid=patient.department_id,
        primarydepartmentid=patient.department_id,
        primaryproviderid=patient.provider_id or "",
        registrationdate=us_day(patient.registered_on) if patient.registered_on else None,
        lastupdated=us_day(patient.modified.date()),
        lastupdatedby="sandbox",
        address1=f"{patient.id} SANDBOX AVENUE",
        city=patient.city.upper(),
        state=patient.state,
        zip=patient.zip,
        countrycode="USA",
        countrycode3166="US",
        homephone="5555550100",
        workphone="5555550103",
        email=f"patient{patient.id}@example.invalid",
        emailexists=True,
        ssn="*****0000",
        driverslicense=False,
        consenttotext=False,
        patientphoto=False,
        portaltermsonfile=False,
        portalaccessgiven=False,
        privacyinformationverified=True,
        race=[],
        guarantorfirstname=patient.first_name,
        guarantorlastname=patient.last_name,
        guarantordob=us_day(patient.dob),
        guarantorssn="*****0000",
        guarantoraddress1=f"{patient.id} SANDBOX AVENUE",
        guarantorcity=patient.city.upper(),
        guarantorstate=patient.state,
        guarantorzip=patient.zip,
        guarantoremail=f"patient{patient.id}@example.invalid",
        guarantorcountrycode="USA",
        guarantorcountrycode3166="US",
        guarantoraddresssameaspatient=True,
        guarantorrelationshiptopatient="1",
        balances=[balance(claims)],
        previouspatientids=list(patient.previous_ids) if show_previous and patient.previous_ids else None,
    )


def balance(claims: Sequence[Claim]) -> dict[str, object]:
    """What the patient owes: `0` when nothing, else text like "-25.15" (both recorded)."""
    owed = sum(
        (
            charge.amount - charge.payments - charge.adjustments
            for claim in claims
            if not claim.voided
            for charge in claim.charges
            if charge.payer == "PATIENT"
        ),
        Decimal(0),
    )
    return {
        "balance": money_text(owed) if owed else 0,
        "departmentlist": "1",
        "providergroupid": 1,
        "cleanbalance": True,
    }


ENDPOINTS = [
    Endpoint("GET", "/patients", search_patients, "patientid"),
    Endpoint("GET", "/patients/{patientid}", get_patient, "patientid"),
]
