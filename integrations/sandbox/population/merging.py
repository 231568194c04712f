"""Tells how two registrations of one person become one: who survives, and which records never hear of it."""

from __future__ import annotations

from msgspec.structs import replace

from integrations.sandbox.population.course import Clinic
from integrations.sandbox.population.planning import Merge
from integrations.sandbox.population.script import Script

# athena re-points most of a loser's records; some go on naming the old id for ever (athena-api.md §4 trap 6).
STAY_BEHIND = (frozenset[str](), frozenset({"claim"}), frozenset({"claim", "clinical"}))


def tell_merge(clinic: Clinic, merge: Merge) -> Script:
    """The loser is registered, then merged away; its insurances move to the survivor."""
    script, loser, survivor = Script(clinic.practice), merge.loser.patient, merge.survivor.patient
    script.put(loser.modified, "patient", loser, "AddPatient")
    for policy in merge.loser.insurances:
        script.put(policy.modified, "insurance", policy)
        script.put(merge.at, "insurance", replace(policy, patient_id=survivor.id))
    script.put(merge.at, "patient", replace(loser, status="deleted", merged_into=survivor.id), "MergePatient")
    script.put(merge.at, "patient", replace(survivor, previous_ids=(loser.id,)), "MergePatient")
    return script


def apply_merge(clinic: Clinic, script: Script, merge: Merge) -> None:
    """A visit of the loser names the survivor from the merge on."""
    kept = clinic.rng.choice(STAY_BEHIND)
    script.repoint(merge.loser.patient.id, merge.survivor.patient.id, merge.at, kept)
