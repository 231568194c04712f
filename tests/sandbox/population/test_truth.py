"""The ledger and the store tell one story: every record has its truth, every cause its visit and its subject."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.sandbox.ledger import Cause, Ledger, RecordRef
from integrations.sandbox.population import populate
from integrations.sandbox.population.charging import STOPPED
from integrations.sandbox.population.mishaps import MISHAPS
from integrations.sandbox.population.script import Script, fold
from integrations.sandbox.store import Store
from integrations.sandbox.world import Appointment, Claim, Encounter
from tests.sandbox.population.conftest import AS_OF

PRACTICES = ("195900", "195903", "11287")


@pytest.mark.parametrize("kind", ["appointment", "encounter", "service", "claim", "clinical"])
def test_every_record_of_the_store_has_its_truth_and_no_other_has(
    kind: str, store: Store, ledger: Ledger
) -> None:
    truth = {(row.practice, row.id) for row in ledger.records if row.kind in (kind, STAYS.get(kind))}
    told = {(practice, thing.id) for practice in PRACTICES for thing in store.find(practice, kind)}
    assert told == truth


STAYS = {"encounter": "stay"}


def test_every_charge_line_has_its_truth_and_its_claims_visit(store: Store, ledger: Ledger) -> None:
    visits = {(row.practice, row.kind, row.id): row.visit for row in ledger.records}
    for practice in PRACTICES:
        for claim in store.find(practice, "claim"):
            assert isinstance(claim, Claim)
            for charge in claim.charges:
                own = visits[practice, "charge", charge.transaction_id]
                assert own == visits[practice, "claim", claim.id]


def test_records_that_name_each_other_share_a_visit(store: Store, ledger: Ledger) -> None:
    visits = {(row.practice, row.kind, row.id): row.visit for row in ledger.records}
    for practice in PRACTICES:
        for thing in (*store.find(practice, "claim"), *store.find(practice, "encounter")):
            assert isinstance(thing, Claim | Encounter)
            if thing.appointment_id:
                kind = "claim" if isinstance(thing, Claim) else "encounter"
                assert (
                    visits[practice, kind, thing.id] == visits[practice, "appointment", thing.appointment_id]
                )


def test_every_cause_names_a_visit_with_records(ledger: Ledger) -> None:
    visits = {(row.practice, row.visit) for row in ledger.records}
    records = {(row.practice, row.kind, row.id): row.visit for row in ledger.records}
    for cause in ledger.causes:
        assert cause.visit is None or (cause.practice, cause.visit) in visits
        if cause.record:
            assert records[cause.practice, cause.record.kind, cause.record.id] == cause.visit
        else:
            assert cause.visit is not None


def test_causes_began_in_the_past_and_have_not_ended_in_the_future(ledger: Ledger) -> None:
    for cause in ledger.causes:
        assert cause.since <= AS_OF
        assert cause.until is None or cause.since < cause.until <= AS_OF


@pytest.mark.parametrize(
    "code",
    ["G01", "G02", "G03", "G04", "G05", "G08", "G11", "G12", "G13", "G17", "G21", "G22", "G23", "G24"]
    + ["G26", "G27", "G29", "G33", "G35", "G39", "G44", "G45"],
)
def test_a_cause_of_this_code_has_happened(code: str, ledger: Ledger) -> None:
    assert [cause for cause in ledger.causes if cause.code == code]


def test_between_five_percent_and_a_quarter_of_visits_wait_for_somebody(ledger: Ledger) -> None:
    for practice in PRACTICES:
        waiting = {cause.visit for cause in open_causes(ledger, practice)}
        assert 0.05 < len(waiting) / ledger.header.visits < 0.25


def test_open_causes_are_what_the_store_shows(store: Store, ledger: Ledger) -> None:
    """The desk's, the provider's and the payer's omissions, each visible in the record it names."""
    for practice in PRACTICES:
        for cause in open_causes(ledger, practice):
            if cause.record is None:
                continue
            thing = store.get(practice, cause.record.kind, cause.record.id)
            if cause.code == "G01":
                assert isinstance(thing, Appointment)
                assert thing.status == "f"
                assert thing.day <= AS_OF.date()
            if cause.code in ("G03", "G05"):
                assert isinstance(thing, Appointment)
                assert thing.status == "2"
            if cause.code == "G11":
                assert isinstance(thing, Encounter)
                assert thing.status == "OPEN"
            if cause.code == "G13":
                assert isinstance(thing, Appointment)
                assert thing.status == "3"
            if cause.code == "G22":
                assert isinstance(thing, Claim)
                assert thing.voided
            if cause.code == "G24":
                assert isinstance(thing, Claim)
                assert thing.primary.status in ("HOLD", "MGRHOLD")
            if cause.code == "G29":
                assert isinstance(thing, Claim)
                assert {"BILLED", "FOLLOWUP"} & {thing.primary.status, thing.secondary.status}


def test_a_held_claim_always_has_a_cause(store: Store, ledger: Ledger) -> None:
    caused = {
        (cause.practice, cause.record.id) for cause in ledger.causes if cause.code == "G24" and cause.record
    }
    for practice in PRACTICES:
        for claim in store.find(practice, "claim"):
            if isinstance(claim, Claim) and claim.primary.status in ("HOLD", "MGRHOLD"):
                assert (practice, claim.id) in caused


def open_causes(ledger: Ledger, practice: str) -> list[Cause]:
    return [cause for cause in ledger.causes if cause.practice == practice and cause.until is None]


def test_a_line_left_off_a_claim_is_no_cause_any_more_once_the_claim_is_void() -> None:
    """Then no claim is left that could lack it (G22), whether it was to be ruled on later or never."""
    monday, tuesday, friday = (datetime(2026, 3, day, tzinfo=UTC) for day in (2, 3, 6))
    for until in (None, friday):
        script = Script("195900", "V1")
        script.cause("G15", "line_left_off_claim", monday, until)
        script.end("G15", tuesday)
        told = fold(script, friday).truth.values()
        assert [cause.until for cause in told if isinstance(cause, Cause)] == [tuesday]


def test_where_mishaps_are_frequent_most_codes_have_many_causes(tmp_path: Path) -> None:
    counts = {}
    for name in MISHAPS:
        with Store(tmp_path / name) as store:
            populate(store, seed=3, practices=1, visits=250, as_of=AS_OF, mishaps=name)
            causes = Ledger.export(store, AS_OF).causes
        counts[name] = Counter(cause.code for cause in causes if cause.until is None)
    rare = [code for code in counts["often"] if counts["often"][code] < counts["usual"][code]]
    assert counts["often"].total() > 2 * counts["usual"].total()
    assert len(rare) <= 3, rare


def test_a_clinic_whose_charges_stop_is_one_providers_and_one_days(tmp_path: Path) -> None:
    with Store(tmp_path / "stopped") as store:
        populate(store, seed=3, practices=1, visits=120, as_of=AS_OF, mishaps="stopped")
        stopped = {cause.record for cause in Ledger.export(store, AS_OF).causes if cause.cause == STOPPED}
        booked = [one for one in store.find("195900", "appointment") if isinstance(one, Appointment)]
        claimed = {one.appointment_id for one in store.find("195900", "claim") if isinstance(one, Claim)}
    lost = {one.id for one in booked if RecordRef("appointment", one.id) in stopped}
    days = Counter((one.provider_id, one.day) for one in booked if one.id in lost)
    assert len(days) == MISHAPS["stopped"].charges_stop
    assert min(days.values()) >= 5
    assert not lost & claimed
