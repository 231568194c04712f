"""Weights of a practice's own: what its linked claims teach, and how a version is tried out, applied and taken back."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from importlib import import_module
from math import exp, log
from random import Random

import pytest
from django.db import transaction

from athena_dash.correlation import reweighing
from athena_dash.correlation.labels_sql import labels_of
from athena_dash.correlation.learning import TRUSTED, Labels, Lone, blend, lone_points, points_of
from athena_dash.correlation.models import Weights
from athena_dash.correlation.weights import SHIPPED, STRAY, weights_of
from athena_dash.sync import pipeline
from tests.correlation.office import NOON, WEDNESDAY, Office, a_claim, an_appointment

DAY = dt.timedelta(days=1)
COUNTS = {"date": {"same_day": (9_000, 100), "one_day": (1_000, 900)}}


def test_a_level_weighs_how_much_more_often_the_own_visit_shows_it() -> None:
    points = points_of(COUNTS)
    assert points["same_day"] == pytest.approx(log(0.9 / 0.1), abs=0.05)
    assert points["one_day"] == pytest.approx(log(0.1 / 0.9), abs=0.05)


def test_what_was_never_seen_keeps_its_shipped_points() -> None:
    assert points_of(COUNTS)["supervisor"] == SHIPPED["supervisor"]


def test_a_small_practice_behaves_as_shipped_and_a_large_one_by_its_own() -> None:
    own = {level: float(points) for level, points in SHIPPED.items()}
    own |= {"same_day": 1.0, "none": -4.0, STRAY + "one_day": 0.5}
    shipped = {level: points.quantize(Decimal("0.01")) for level, points in SHIPPED.items()}
    assert blend(own, 0) == shipped | {STRAY + "one_day": Decimal(0)}
    assert blend(own, TRUSTED)["same_day"] == Decimal("2.50")
    assert blend(own, 1_000_000)["same_day"] == Decimal("1.00")
    assert blend(own, 1_000_000)[STRAY + "one_day"] == Decimal("0.50")


def claims(number: int, points: float, *levels: str) -> Lone:
    """That many claims without an id, with one visit on offer each."""
    return Lone(pairs=((points, levels),), claims=number)


def test_the_share_that_belongs_nowhere_is_learnt_from_records_without_an_id() -> None:
    labels = Labels(counts=COUNTS, placed=1_000, lost=0)
    few = lone_points(labels, points_of(COUNTS), [claims(990, 4.6), claims(10, -9.2)])["none"]
    many = lone_points(labels, points_of(COUNTS), [claims(700, 4.6), claims(300, -9.2)])["none"]
    assert few == pytest.approx(log(0.01 / 0.99), abs=0.2)
    assert many == pytest.approx(log(0.3 / 0.7), abs=0.1)


def test_what_claims_that_belong_nowhere_look_like_is_learnt_from_those_that_surely_do() -> None:
    """They are mostly of the same day, which the claims of other visits are not: so that day says less for a tie."""
    labels = Labels(counts=COUNTS, placed=1_000, lost=0)
    lone = [claims(9_000, 4.6, "same_day"), claims(1_000, -9.2, "same_day")]
    found = lone_points(labels, points_of(COUNTS), lone)
    assert found[STRAY + "same_day"] > 1
    assert found[STRAY + "one_day"] < -1


def test_claims_without_an_id_that_slip_more_often_are_believed_though_they_slip() -> None:
    labels = Labels(counts=COUNTS, placed=1_000, lost=0)
    lone = [claims(5_000, 4.6, "same_day"), claims(5_000, 4.6, "one_day")]
    found = lone_points(labels, points_of(COUNTS), lone)
    assert found["one_day"] == pytest.approx(log(0.45 / 0.9), abs=0.1)
    assert lone_points(labels, points_of(COUNTS), [])["one_day"] == pytest.approx(log(0.1 / 0.9), abs=0.05)


# How often three facts agree between a claim and its own visit, another visit around its day, and, for a claim that
# belongs nowhere, any visit; and of a claim without an id and its own.
FACTS = ("date", "provider", "diagnoses")
KNOWN, OTHERS, STRAYS, KEYED = (0.95, 0.9, 0.95), (0.5, 0.4, 0.4), (0.2, 0.05, 0.03), (0.9, 0.8, 0.9)
AGREE = {"date": "same_day", "provider": "same_provider", "diagnoses": "diagnoses_agree"}
DIFFER = {"date": "one_day", "provider": "other_provider", "diagnoses": "diagnoses_differ"}


def drawn(rng: Random, chances: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(
        (AGREE if rng.random() < chance else DIFFER)[fact]
        for fact, chance in zip(FACTS, chances, strict=True)
    )


def test_what_is_called_likely_is_right_as_often_as_it_is_called_so() -> None:
    """A practice is invented by the model itself: of 30,000 claims without an id 2 % belong nowhere."""
    rng = Random(5)
    seen = [
        Counter(level for _ in range(20_000) for level in drawn(rng, chances)) for chances in (KNOWN, OTHERS)
    ]
    counts = {
        fact: {level[fact]: (seen[0][level[fact]], seen[1][level[fact]]) for level in (AGREE, DIFFER)}
        for fact in FACTS
    }
    points = points_of(counts)
    owned = Counter(drawn(rng, KEYED) for _ in range(29_400))
    stray = Counter(drawn(rng, STRAYS) for _ in range(600))
    lone = [
        claims(owned[levels] + stray[levels], sum(points[level] for level in levels), *levels)
        for levels in owned.keys() | stray.keys()
    ]
    found = lone_points(Labels(counts=counts, placed=20_000, lost=0), points, lone)
    doubtful = 0
    for levels in owned.keys() | stray.keys():
        nowhere = exp(found["none"] + sum(found[STRAY + level] for level in levels)) + exp(found["absent"])
        own = exp(sum(found[level] for level in levels))
        right = owned[levels] / (owned[levels] + stray[levels])
        assert own / (own + nowhere) == pytest.approx(right, abs=0.15), levels
        doubtful += 0.2 < right < 0.9
    assert doubtful


def test_claims_with_ids_teach_as_if_each_had_lost_its_own(office: Office) -> None:
    office.receive(
        *(an_appointment("100"), a_claim("40", appointment_id="100", billed_provider_id="99")),
        *(
            an_appointment("101", date=WEDNESDAY + DAY, starts_at=NOON + DAY),
            a_claim("41", appointment_id="101", service_date=WEDNESDAY + DAY),
        ),
    )
    with transaction.atomic():
        labels = labels_of(office.id, SHIPPED)
    assert labels.counts["date"] == {"same_day": (2, 0), "one_day": (0, 2)}
    assert labels.counts["provider"] == {"same_provider": (1, 1), "other_provider": (1, 1)}
    assert labels.counts["taken"] == {"free": (2, 0), "billed_again": (0, 2)}
    assert (labels.placed, labels.lost) == (2, 0)


def test_a_claim_whose_visit_did_not_arrive_teaches_how_often_that_happens(office: Office) -> None:
    office.receive(
        an_appointment("100"), a_claim("40", appointment_id="100"), a_claim("41", appointment_id="999")
    )
    with transaction.atomic():
        labels = labels_of(office.id, SHIPPED)
    assert (labels.placed, labels.lost) == (1, 1)
    often, seldom = (
        lone_points(Labels(counts=COUNTS, placed=1_000, lost=lost), points_of(COUNTS), [])["absent"]
        for lost in (100, 1)
    )
    assert often > seldom + 3


def test_nothing_is_learnt_from_few_claims(office: Office) -> None:
    office.receive(an_appointment("100"), a_claim("40", appointment_id="100"))
    assert not pipeline.learn_weights(office.id)
    assert weights_of(office.id) is SHIPPED


@pytest.fixture
def slipping(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A practice whose claims name other providers as a rule; one claim without an id does so too."""
    monkeypatch.setattr(reweighing, "ENOUGH", 10)
    monkeypatch.setattr("athena_dash.correlation.learning.TRUSTED", 1)
    for number in range(40):
        patient, other = str(1_000 + number), WEDNESDAY + DAY
        office.receive(
            an_appointment(f"a{number}", patient_id=patient),
            an_appointment(f"b{number}", patient_id=patient, date=other, provider_id="88"),
            a_claim(f"c{number}", patient_id=patient, appointment_id=f"a{number}", billed_provider_id="99"),
        )
    office.receive(an_appointment("100"), a_claim("40", billed_provider_id="99", department_id=""))
    return office


def test_a_version_changes_nothing_until_it_is_applied_and_is_taken_back_by_applying_another(
    slipping: Office,
) -> None:
    assert slipping.where("claim", "40") == "unmatched"
    assert pipeline.learn_weights(slipping.id)
    assert slipping.where("claim", "40") == "unmatched"
    with transaction.atomic():
        found = reweighing.preview(slipping.id, 1, ["40"])
    assert (found.added.claims, found.removed.claims, found.moved.claims) == (1, 0, 0)
    assert found.added.samples[0][0] == "40"
    assert slipping.where("claim", "40") == "unmatched"
    apply(slipping, 1)
    assert slipping.where("claim", "40") == "appointment 100"
    apply(slipping, 0)
    assert slipping.where("claim", "40") == "unmatched"


def test_applying_goes_on_where_it_was_killed(slipping: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    slipping.receive(a_claim("39", patient_id="8"), an_appointment("99", patient_id="8"))
    pipeline.learn_weights(slipping.id)
    monkeypatch.setattr(pipeline, "BATCH", 1)
    with transaction.atomic():
        reweighing.activate(slipping.id, 1)
    assert pipeline.apply_weights(slipping.id)
    row = Weights.objects.get(version=1)
    assert reweighing.progress(row) == (1, 2)
    assert reweighing.being_applied() == [slipping.id]
    while pipeline.apply_weights(slipping.id):
        pass
    row.refresh_from_db()
    assert reweighing.progress(row) == (2, 2)
    assert reweighing.being_applied() == []
    assert slipping.where("claim", "40") == "appointment 100"


def test_a_version_more_needs_more_claims(slipping: Office) -> None:
    assert pipeline.learn_weights(slipping.id)
    assert not pipeline.learn_weights(slipping.id)


def test_a_newer_way_of_learning_is_used_at_once(slipping: Office) -> None:
    pipeline.learn_weights(slipping.id)
    Weights.objects.update(method=1)
    assert pipeline.learn_weights(slipping.id)
    assert not pipeline.learn_weights(slipping.id)


def test_weights_learnt_before_say_what_they_said() -> None:
    """The rest of a bill was counted under two facts, and other services like any other claim of the visit."""
    migration = import_module("athena_dash.correlation.migrations.0014_weights_learnt_anew")
    points = {"taken": "-5.17", "billed_rest": "1.10", "procedures_within": "-1.39", STRAY + "taken": "-0.09"}
    carried = migration.as_before(points)
    assert carried == points | {
        "billed_rest": "-0.29",
        "billed_other": "-5.17",
        STRAY + "billed_other": "-0.09",
    }


def apply(office: Office, version: int) -> None:
    with transaction.atomic():
        reweighing.activate(office.id, version)
    while pipeline.apply_weights(office.id):
        pass
