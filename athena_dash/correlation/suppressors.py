"""A visit → why it expects nothing more, or None. Asked before any rule, in the order of revenue-cycle.md
§2.0."""

from __future__ import annotations

from athena_dash.correlation.rules.base import Suppressor
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.packages import KINDS
from athena_dash.practices.policies import Policies

NOT_VISITS = {"FLOWSHEET": "a flowsheet"}
NOT_BILLABLE = (
    ("not_billable.visit_types", "visit_type", "visit type"),
    ("not_billable.departments", "department_id", "department"),
    ("not_billable.providers", "provider_id", "provider"),
    ("not_billable.payers", "payer_name", "payer"),
)
DEAD_ENCOUNTERS = ("DELETED", "TEMP")


def suppressor(visit: VisitFacts, policies: Policies) -> tuple[Suppressor, str] | None:
    """The first that applies, with its words for "why is this not here?"."""
    for kind, ask in ASKED:
        if words := ask(visit, policies):
            return kind, words
    return None


def gone(visit: VisitFacts, policies: Policies) -> str:
    appointment = visit.appointment
    if appointment is not None and appointment.gone:
        return "the appointment is no longer in athena"
    if appointment is not None and appointment.status == "o":
        return "the slot is open again"
    if appointment is None and not visit.encounters:
        return "the encounter is no longer in athena"
    return ""


def cancelled(visit: VisitFacts, policies: Policies) -> str:
    appointment = visit.appointment
    if appointment is None or appointment.status != "x":
        return ""
    if appointment.no_show:
        return "no-show"
    return "rescheduled" if appointment.rescheduled_to not in ("", "0") else "cancelled"


def not_required(visit: VisitFacts, policies: Policies) -> str:
    appointment = visit.appointment
    if appointment is None or not appointment.charge_entry_not_required:
        return ""
    reason = appointment.charge_entry_not_required_reason
    return f"charge entry not required: {reason}" if reason else "charge entry not required"


def by_policy(visit: VisitFacts, policies: Policies) -> str:
    found = listed(visit, policies) if policies.not_billable else ()
    return f"{found[0][1]} is not billable" if found else ""


def listed(visit: VisitFacts, policies: Policies) -> list[tuple[str, str]]:
    """(policy, what it speaks of) for each policy that lists something of this visit."""
    return [
        (name, what)
        for name, attribute, what in NOT_BILLABLE
        if (values := policies.value(name)) and getattr(visit, attribute) in values
    ]


def in_episode(visit: VisitFacts, policies: Policies) -> str:
    """Of charge and claim only: a visit inside a package is documented and signed like any other."""
    episode = visit.episode
    if episode is None:
        return ""
    until = f"{episode.ends_on:%b} {episode.ends_on.day}, {episode.ends_on.year}"
    return f"part of claim {episode.claim_id}, {KINDS[episode.kind].label} until {until}"


def not_a_visit(visit: VisitFacts, policies: Policies) -> str:
    """Encounters without an appointment that never lead to a claim of ours. A stay is billed by the hospital."""
    if visit.appointment is not None:
        return ""
    if all(encounter.status in DEAD_ENCOUNTERS for encounter in visit.encounters):
        return "the encounter was deleted"
    if all(encounter.id.startswith("stay-") for encounter in visit.encounters):
        return "an inpatient stay, billed by the hospital"
    return next((f"{NOT_VISITS[e.kind]}, not a visit" for e in visit.encounters if e.kind in NOT_VISITS), "")


ASKED = (
    (Suppressor.GONE, gone),
    (Suppressor.CANCELLED, cancelled),
    (Suppressor.NOT_REQUIRED, not_required),
    (Suppressor.POLICY, by_policy),
    (Suppressor.EPISODE, in_episode),
    (Suppressor.NOT_A_VISIT, not_a_visit),
)
