"""The score by tier, by department and by chance, and what visits show: of records placed by anybody."""

from __future__ import annotations

from athena_dash.operations.evaluation.breakdown import Placed, breakdown, calibration, visits_seen
from athena_dash.operations.evaluation.score import Truth

V1, V2, NONE = Truth(frozenset({"V1"})), Truth(frozenset({"V2"})), Truth(frozenset())
ROWS = [
    Placed(kind="claim", id="1", truth=V1, visit="V1", best="V1", chance=0.97, tier="scored", department="A"),
    Placed(kind="claim", id="2", truth=V2, visit="V1", best="V1", chance=0.93, tier="scored", department="B"),
    Placed(kind="claim", id="3", truth=V2, best="V2", chance=0.61, department="B"),
    Placed(kind="claim", id="4", truth=V1, visit="V1", best="V1", chance=1.0, tier="id", department="A"),
    Placed(kind="claim", id="5", truth=NONE, visit="V3", best="V3", chance=0.91, tier="patient_day"),
]


def test_each_tier_answers_for_itself() -> None:
    tiers = breakdown(ROWS)["tiers"]
    assert tiers["claim id"]["precision"] == 1.0
    assert (tiers["claim scored"]["tp"], tiers["claim scored"]["fp"]) == (1, 1)
    assert tiers["claim patient_day"]["precision"] == 0.0
    assert tiers["claim none"]["abstained"] == 1


def test_each_department_answers_for_the_visits_it_had() -> None:
    departments = breakdown(ROWS)["departments"]
    assert departments["claim A"]["recall"] == 1.0
    assert departments["claim B"]["recall"] == 0.0
    assert departments["claim nowhere"]["fp"] == 1


def test_chance_is_held_against_what_was_right_also_of_what_was_left_to_a_person() -> None:
    bins = breakdown(ROWS)["calibration"]
    assert bins["0.9–1.0"] == bins["0.9–1.0"] | {"records": 3, "observed": 0.3333}
    assert bins["0.6–0.7"] == bins["0.6–0.7"] | {"records": 1, "predicted": 0.61, "observed": 1.0}


def test_there_are_ten_bins() -> None:
    rows = [Placed(kind="claim", id=f"{n}", truth=V1, best="V1", chance=n / 100) for n in range(101)]
    assert len(calibration(rows)) == 10


def test_a_visit_without_its_claim_and_one_with_a_strangers_are_told_apart() -> None:
    seen = visits_seen(ROWS, {"V1", "V2", "V3", "V4"})
    assert (seen["false_missing"]["visits"], seen["false_complete"]["visits"]) == (1, 1)
    assert seen["false_missing"]["share"] == 0.25
