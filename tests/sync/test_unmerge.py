"""Two patients were made one by mistake, and athena takes it back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from athena_dash.correlation.models import Visit
from athena_dash.records.models import Appointment
from athena_dash.records.models import Patient as Row
from athena_dash.sync import subjects
from integrations.sandbox.world import Patient
from tests.sync.rig import Synced


class Desk:
    """Somebody at athena who registers patients; two of them have visits."""

    def __init__(self, synced: Synced) -> None:
        self.synced = synced
        seen = Visit.objects.exclude(patient_id="").values_list("patient_id", flat=True).distinct()
        alone = Row.objects.filter(external_id__in=seen, merged_into="", previous_ids=[], status="active")
        self.loser, self.survivor = alone.order_by("external_id").values_list("external_id", flat=True)[:2]

    def edits(self, patient_id: str, **said: object) -> None:
        athena = self.synced.athena
        athena.time.passes(minutes=1)
        (patient,) = (one for one in athena.things("patient") if one.id == patient_id)
        assert isinstance(patient, Patient)
        athena.change("patient", replace(patient, modified=athena.time.now, **said))

    def merges(self) -> None:
        self.edits(self.loser, status="deleted", merged_into=self.survivor)
        self.edits(self.survivor, previous_ids=(self.loser,))
        self.synced.pull("patients")

    def row(self) -> Row:
        return Row.objects.get(external_id=self.loser)

    def shown(self) -> set[str]:
        """Whose visits those of the one who was given up are shown as."""
        own = Appointment.objects.filter(patient_id=self.loser).values_list("external_id", flat=True)
        visits = Visit.objects.filter(anchor="appointment", anchor_id__in=list(own))
        return set(visits.values_list("patient_id", flat=True))


@pytest.fixture
def desk(synced: Synced) -> Desk:
    desk = Desk(synced)
    desk.merges()
    assert desk.row().merged_into == desk.survivor
    assert desk.shown() == {desk.survivor}
    return desk


LIVES = {"status": "active", "merged_into": None}


@pytest.mark.parametrize("first", ["the one given up", "the survivor"])
def test_each_has_their_own_visits_again_whichever_is_heard_of_first(desk: Desk, first: str) -> None:
    edits = [(desk.loser, LIVES), (desk.survivor, {"previous_ids": ()})]
    for patient_id, said in edits if first == "the one given up" else reversed(edits):
        desk.edits(patient_id, **said)
        desk.synced.pull("patients")
    assert (desk.row().merged_into, desk.row().unmerged_from) == ("", desk.survivor)
    assert desk.shown() == {desk.loser}


def test_a_survivor_told_of_without_the_list_parts_nobody(desk: Desk) -> None:
    desk.edits(desk.survivor, previous_ids=())
    desk.synced.pull("patients")
    assert desk.row().merged_into == desk.survivor
    assert desk.shown() == {desk.survivor}


def test_the_charts_of_both_are_read_again(desk: Desk) -> None:
    desk.synced.pull()
    desk.edits(desk.loser, **LIVES)
    desk.edits(desk.survivor, previous_ids=())
    desk.synced.pull("patients")
    practice, now = desk.synced.practice.pk, desk.synced.athena.time.now
    for resource in ("encounters", "observations"):
        due = {subject.key for subject in subjects.due(practice, resource, now, 1000)}
        assert due >= {desk.loser, desk.survivor}


def test_they_can_be_made_one_again(desk: Desk) -> None:
    desk.edits(desk.loser, **LIVES)
    desk.edits(desk.survivor, previous_ids=())
    desk.synced.pull("patients")
    desk.merges()
    assert desk.row().merged_into == desk.survivor
    assert desk.shown() == {desk.survivor}
