"""A first sync brings everything athena holds; a second one changes nothing."""

from __future__ import annotations

from athena_dash.records import models as records
from athena_dash.sync.models import RawRecord, RawSegment, Run
from tests.sync.rig import contents, due_subjects, open_failures, pull_all, reachable_facts, versions

HELD = {  # athena's things → our tables, for what a practice-wide walk must bring completely
    "department": records.Department,
    "provider": records.Provider,
    "claim": records.Claim,
    "encounter": records.Encounter,
    "service": records.ServiceLine,
}


def test_a_first_sync_brings_everything_and_a_second_one_changes_nothing(connected, athena) -> None:
    runs = pull_all(connected)
    assert {run.outcome for run in runs} == {Run.Outcome.DONE}
    assert not open_failures(connected).exists()
    assert not due_subjects(connected).exists()
    assert {kind: table.objects.count() for kind, table in HELD.items()} == {
        kind: athena.has(kind) for kind in HELD
    }
    assert records.ClinicalFact.objects.count() == reachable_facts(athena)
    booked = [one for one in athena.things("appointment") if one.patient_id]
    assert set(records.Appointment.objects.values_list("external_id", flat=True)) == {a.id for a in booked}
    lines = sum(len(claim.charges) for claim in athena.things("claim"))
    assert records.ChargeLine.objects.count() == lines
    assert not RawSegment.objects.filter(processed_version=None).exists()

    before, rows, raws = contents(connected), versions(), RawRecord.objects.count()
    athena.time.passes(minutes=1)
    again = pull_all(connected)
    assert {run.outcome for run in again} == {Run.Outcome.DONE}
    assert sum(run.changed for run in again) == 0
    assert RawRecord.objects.count() == raws
    assert contents(connected) == before
    assert versions() == rows, "a row was rewritten although nothing had changed"
