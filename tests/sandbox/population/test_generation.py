"""The generated population is reproducible, quick and as odd as athena's real sandbox (athena-api.md §2.2, §4)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from integrations.sandbox.generate import main
from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import populate
from integrations.sandbox.store import Store
from integrations.sandbox.world import Appointment, Claim, Clinical, Department, Encounter, Patient
from tests.sandbox.population.conftest import AS_OF, generate

PRACTICES = ("195900", "195903", "11287")


Owned = tuple[str, str]  # practice, id: ids are unique per practice only


def appointments(store: Store) -> dict[Owned, Appointment]:
    found = ((practice, thing) for practice in PRACTICES for thing in store.find(practice, "appointment"))
    return {(practice, thing.id): thing for practice, thing in found if isinstance(thing, Appointment)}


def claims(store: Store) -> dict[Owned, Claim]:
    found = ((practice, thing) for practice in PRACTICES for thing in store.find(practice, "claim"))
    return {(practice, thing.id): thing for practice, thing in found if isinstance(thing, Claim)}


def test_the_same_seed_gives_the_same_ledger_byte_for_byte(tmp_path: Path) -> None:
    texts = []
    for run in ("a", "b"):
        generate(tmp_path / f"{run}.db", visits=60).write(tmp_path / f"{run}.jsonl")
        texts.append((tmp_path / f"{run}.jsonl").read_bytes())
    assert texts[0] == texts[1]


def test_another_seed_gives_another_ledger(tmp_path: Path) -> None:
    one, two = (generate(tmp_path / f"{seed}.db", seed=seed, visits=60, practices=1) for seed in (1, 2))
    assert one.causes != two.causes


def test_a_ledger_survives_its_file(ledger: Ledger, tmp_path: Path) -> None:
    ledger.write(tmp_path / "truth.jsonl")
    assert Ledger.read(tmp_path / "truth.jsonl") == ledger


def test_a_killed_generation_leaves_nothing_and_the_next_one_fills_the_store(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def die(practice: str, told: int, asked: int) -> None:
        raise KilledError

    with Store(tmp_path / "sandbox.db") as store:
        with pytest.raises(KilledError):
            populate(store, seed=1, practices=1, visits=600, as_of=AS_OF, progress=die)
        assert store.db.execute("select count(*) from thing").fetchone() == (0,)
        populate(store, seed=1, practices=1, visits=30, as_of=AS_OF)
        assert store.db.execute("select count(*) from thing").fetchone() > (100,)


def test_a_demo_takes_less_than_three_seconds_of_work(tmp_path: Path) -> None:
    began = process_time()
    generate(tmp_path / "sandbox.db", visits=400)
    assert process_time() - began < 3


def test_the_command_writes_state_and_truth(tmp_path: Path) -> None:
    state, truth = tmp_path / "sandbox.db", tmp_path / "truth.jsonl"
    command = [sys.executable, "-m", "integrations.sandbox.generate", "--practices", "1", "--visits", "40"]
    subprocess.run([*command, "--state", str(state), "--truth", str(truth)], check=True, timeout=60)
    assert Ledger.read(truth).header.visits == 40


def test_the_command_leaves_an_existing_population_alone(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--state", str(path)]) == 1
    assert "already holds a population" in capsys.readouterr().err


def test_appointments_show_the_recorded_oddities(store: Store) -> None:
    encounters = {
        (practice, thing.id): thing
        for practice in PRACTICES
        for thing in store.find(practice, "encounter")
        if isinstance(thing, Encounter)
    }
    billed = {(practice, claim.appointment_id) for (practice, _), claim in claims(store).items()}
    seen = Counter[str]()
    for (practice, id), one in appointments(store).items():
        encounter = encounters.get((practice, one.encounter_id or ""))
        state = encounter.status if encounter else "none"
        settled = (
            "waived" if one.charge_entry_not_required else "claim" if (practice, id) in billed else "bare"
        )
        seen[f"{one.status} {state} {settled}"] += 1
        if one.status == "f" and one.day < AS_OF.date():
            seen["past f"] += 1
    oddities = ("past f", "3 CLOSED bare", "4 none claim", "4 none waived", "4 CLOSED waived", "x none bare")
    assert all(seen[oddity] for oddity in oddities), seen
    assert seen["2 CLOSED bare"] + seen["2 none bare"], seen
    assert not seen["4 CLOSED bare"], (
        "status 4 without a claim never arises from truth (revenue-cycle.md §0.2)"
    )
    assert not seen["4 none bare"]
    assert seen["4 CLOSED claim"] > sum(seen.values()) / 3, "most visits end healthy"


def test_claims_show_every_slot_status_and_both_kinds_of_void(store: Store) -> None:
    told = claims(store)
    primary = {claim.primary.status for claim in told.values()}
    assert {"HOLD", "MGRHOLD", "BILLED", "CLOSED"} <= primary
    assert {claim.patient.status for claim in told.values()} >= {"COLLECT", "CLOSED"}
    voided = {owned: claim for owned, claim in told.items() if claim.voided}
    live = {(practice, claim.appointment_id) for (practice, _), claim in told.items() if not claim.voided}
    assert voided
    for claim in voided.values():
        assert sum(charge.amount for charge in claim.charges) == 0
        assert (claim.primary.status, claim.secondary.status, claim.patient.status) == ("CLOSED",) * 3
    replaced = {(practice, claim.appointment_id) in live for (practice, _), claim in voided.items()}
    assert replaced == {True, False}


def test_a_claim_lacks_its_appointment_only_where_the_ledger_says_why(store: Store, ledger: Ledger) -> None:
    reasons = {(row.practice, row.id): row.reason for row in ledger.records if row.kind == "claim"}
    causes = {"manual_claim", "hospital_rounds", "inpatient_stay", "no_appointment"}
    for practice in PRACTICES:
        for claim in store.find(practice, "claim"):
            assert isinstance(claim, Claim)
            assert (claim.appointment_id is None) == (reasons[practice, claim.id] in causes)


def test_an_appointment_is_booked_before_it_begins_and_cancelled_after_it_is_booked(store: Store) -> None:
    zones = {
        (practice, site.id): ZoneInfo(site.timezone)
        for practice in PRACTICES
        for site in store.find(practice, "department")
        if isinstance(site, Department)
    }
    for (practice, _), one in appointments(store).items():
        if one.scheduled_at:
            assert one.scheduled_at < datetime.combine(one.day, one.start, zones[practice, one.department_id])
        if one.scheduled_at and one.cancelled_at:
            assert one.scheduled_at < one.cancelled_at


def test_nobody_books_before_they_are_registered(store: Store) -> None:
    registered = {
        (practice, one.id): one.registered_on
        for practice in PRACTICES
        for one in store.find(practice, "patient")
        if isinstance(one, Patient)
    }
    for (practice, _), one in appointments(store).items():
        since = registered.get((practice, one.patient_id or ""))
        if one.scheduled_at and since:
            assert since <= one.scheduled_at.date()


def test_some_lines_are_worth_a_cent(store: Store) -> None:
    assert any(str(charge.amount) == "0.01" for claim in claims(store).values() for charge in claim.charges)


def test_a_rescheduled_appointment_names_its_successor(store: Store) -> None:
    booked = appointments(store)
    moved = {owned: one for owned, one in booked.items() if one.rescheduled_to}
    assert moved
    for (practice, _), one in moved.items():
        assert one.status == "x"
        assert booked[practice, one.rescheduled_to or ""].patient_id is not None


@pytest.mark.parametrize("profile", ["clean", "zone", "substitution", "merges", "combined", "hostile"])
def test_a_noise_profile_hides_ids_and_says_so(profile: str, tmp_path: Path) -> None:
    ledger = generate(tmp_path / "sandbox.db", visits=250, practices=1, profile=profile)
    told = [row for row in ledger.records if row.kind == "claim"]
    hidden = {row.id for row in told if row.hidden}
    share = len(hidden) / len(told)
    assert abs(share - (0.6 if profile == "hostile" else 0.3)) < 0.1
    with Store(tmp_path / "sandbox.db") as store:
        bare = {
            claim.id
            for claim in store.find("195900", "claim")
            if isinstance(claim, Claim) and not claim.appointment_id
        }
    assert hidden <= bare


def test_a_merged_patient_names_the_survivor_and_some_records_keep_the_old_id(tmp_path: Path) -> None:
    generate(tmp_path / "sandbox.db", visits=400, practices=1, profile="merges")
    with Store(tmp_path / "sandbox.db") as store:
        patients = {one.id: one for one in store.find("195900", "patient") if isinstance(one, Patient)}
        losers = {one.id: one for one in patients.values() if one.merged_into}
        naming = {thing.patient_id for thing in store.find("195900", "claim") if isinstance(thing, Claim)}
    assert losers
    for loser in losers.values():
        assert patients[loser.merged_into or ""].previous_ids == (loser.id,)
    assert naming & losers.keys(), "some claims go on naming the old id"
    assert losers.keys() - naming, "others are re-pointed"


def test_signed_visits_carry_one_to_six_clinical_facts(store: Store) -> None:
    signed = {
        (practice, one.id)
        for practice in PRACTICES
        for one in store.find(practice, "encounter")
        if isinstance(one, Encounter) and one.status == "CLOSED" and one.kind == "VISIT" and not one.inpatient
    }
    facts = Counter(
        (practice, fact.encounter_id)
        for practice in PRACTICES
        for fact in store.find(practice, "clinical")
        if isinstance(fact, Clinical)
    )
    assert {facts[encounter] for encounter in signed} <= set(range(1, 7))
