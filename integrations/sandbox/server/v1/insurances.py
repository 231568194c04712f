"""GET /patients/{id}/insurances and /appointments/{id}/insurances (recorded 2016 and 2023)."""

from __future__ import annotations

from datetime import date

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.server.wire import number, present, us_day
from integrations.sandbox.world import Appointment, Insurance, Patient


def patient_insurances(call: Call) -> object:
    patient = one(call.store, call.practice, Patient, call.ids["patientid"])
    if patient is None:
        raise no_such("patient")
    return insurances_of(call, patient)


def appointment_insurances(call: Call) -> object:
    appointment = one(call.store, call.practice, Appointment, call.ids["appointmentid"])
    patient_id = appointment and appointment.patient_id
    patient = patient_id and one(call.store, call.practice, Patient, patient_id)
    if not patient:
        raise no_such("appointment")
    return insurances_of(call, patient)


def insurances_of(call: Call, patient: Patient) -> object:
    where = Filter().equal("patient_id", patient.id)
    if not call.query.flag("showcancelled"):
        today = call.sandbox.clock().date().isoformat()
        where.matching(
            "json_extract(cast(doc as text), '$.cancelled_on') is null and"
            " coalesce(json_extract(cast(doc as text), '$.expires_on'), '9999-12-31') >= ?",
            today,
        )
    return listing(
        call, "insurances", Insurance, where, lambda found: [render(item, patient) for item in found]
    )


def render(insurance: Insurance, patient: Patient) -> dict[str, object]:
    eligible = insurance.eligibility_status == "Eligible"
    return present(
        insuranceid=insurance.id,
        insurancepackageid=number(insurance.package_id),
        insuranceplanname=insurance.plan_name,
        insurancetype=insurance.insurance_type,
        ircname=insurance.payer_name,
        ircid=number(insurance.package_id),
        insuranceidnumber=insurance.member_id,
        sequencenumber=insurance.sequence,
        relationshiptoinsured="Self",
        relationshiptoinsuredid=1,
        insuredentitytypeid=1,
        eligibilitystatus=insurance.eligibility_status,
        eligibilitylastchecked=day_text(insurance.eligibility_checked_on),
        eligibilityreason="Athena",
        eligibilitymessage="Member is eligible." if eligible else None,
        issuedate=day_text(insurance.issued_on),
        expirationdate=day_text(insurance.expires_on),
        cancelled=day_text(insurance.cancelled_on),
        lastupdated=us_day(insurance.modified.date()),
        lastupdatedby="sandbox",
        policynumber=insurance.member_id,
        insurancephone="(555) 555-0102",
        insurancepolicyholder=f"{patient.first_name} {patient.last_name}".upper(),
        insurancepolicyholderfirstname=patient.first_name.upper(),
        insurancepolicyholderlastname=patient.last_name.upper(),
        insurancepolicyholderdob=us_day(patient.dob),
        insurancepolicyholdersex=patient.sex,
        insurancepolicyholderaddress1=f"{patient.id} SANDBOX AVENUE",
        insurancepolicyholdercity=patient.city.upper(),
        insurancepolicyholderstate=patient.state,
        insurancepolicyholderzip=patient.zip,
        insurancepolicyholdercountrycode="USA",
        insurancepolicyholdercountryiso3166="US",
        insurancepackageaddress1="PO BOX 1",
        insurancepackagecity="BOSTON",
        insurancepackagestate="MA",
        insurancepackagezip="00000",
    )


def day_text(day: date | None) -> str | None:
    return us_day(day) if day else None


ENDPOINTS = [
    Endpoint("GET", "/patients/{patientid}/insurances", patient_insurances, "insuranceid"),
    Endpoint("GET", "/appointments/{appointmentid}/insurances", appointment_insurances, "insuranceid"),
]
