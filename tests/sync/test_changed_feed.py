"""The changed feed forgets what it hands out; nothing may be lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from athena_dash.records.models import Appointment, Claim, Patient
from athena_dash.sync import backfill, feeds, pull
from athena_dash.sync.connections import source_for
from athena_dash.sync.models import Feed, Run
from integrations.sandbox.store import Store
from tests.sync.athena import CLIENT, PRACTICE
from tests.sync.rig import Synced, due_subjects, open_failures, pull_all

CHANGED = r"/claims/changed$"


@dataclass(frozen=True)
class Desk:
    """Somebody at athena who moves claims."""

    synced: Synced

    def bill(self, number: int = 3) -> set[str]:
        athena = self.synced.athena
        moved = [claim for claim in athena.things("claim") if not claim.voided][:number]
        for claim in moved:
            slot = msgspec.structs.replace(claim.primary, status="FOLLOWUP")
            athena.change("claim", msgspec.structs.replace(claim, primary=slot, modified=athena.time.now))
        return {claim.id for claim in moved}

    def seen(self, ids: set[str]) -> set[str]:
        rows = Claim.objects.filter(external_id__in=ids, primary_status="FOLLOWUP")
        return set(rows.values_list("external_id", flat=True))


@pytest.fixture
def desk(synced) -> Desk:
    return Desk(synced)


def test_a_subscription_is_asked_for_and_the_feed_waits_until_it_is_active(connected, athena) -> None:
    def now() -> str:
        return Feed.objects.get(resource="claims").subscription

    assert now() == Feed.Subscription.MISSING
    assert {run.outcome for run in pull_all(connected, "claims")} == {Run.Outcome.DONE}
    assert now() == Feed.Subscription.PENDING
    athena.time.passes(minutes=1)
    assert pull_all(connected, "claims")[0].outcome == Run.Outcome.DONE
    assert now() == Feed.Subscription.PENDING
    athena.time.passes(minutes=5)
    pull_all(connected, "claims")
    assert now() == Feed.Subscription.ACTIVE
    assert not open_failures(connected).exists()


def test_a_change_comes_in_with_the_next_run_and_a_quiet_feed_costs_one_call(desk, synced) -> None:
    moved = desk.bill()
    synced.pull("claims")
    assert desk.seen(moved) == moved
    (run,) = synced.pull("claims")
    assert (run.changed, run.calls) == (0, 1)


def test_an_appointment_moved_over_there_moves_here(synced) -> None:
    booked = next(one for one in synced.athena.things("appointment") if one.patient_id and one.status != "x")
    synced.athena.change(
        "appointment", msgspec.structs.replace(booked, status="x", modified=synced.athena.time.now)
    )
    synced.pull("appointments")
    assert Appointment.objects.get(external_id=booked.id).status == "x"


@pytest.mark.parametrize("kind", ["timeout_after", "dropped", "malformed", "truncated"])
def test_what_athena_handed_out_and_we_never_read_is_asked_for_again(desk, synced, kind: str) -> None:
    """The windows do not help here: nothing was created or booked."""
    synced.athena.fault(kind, CHANGED, times=1, params={"seconds": 0.01})
    moved = desk.bill()
    (lost,) = synced.pull("claims")
    assert lost.outcome == Run.Outcome.FAILED
    assert desk.seen(moved) == set()
    assert open_failures(synced.practice).get().reason == "unknown_outcome"
    (healed,) = synced.pull("claims")
    assert healed.outcome == Run.Outcome.DONE
    assert desk.seen(moved) == moved
    assert not open_failures(synced.practice).exists()


def test_an_answer_lost_twice_is_still_asked_for(desk, synced) -> None:
    synced.athena.fault("dropped", CHANGED, times=3)  # the lost answer, and both tries to read it again
    moved = desk.bill()
    synced.pull("claims"), synced.pull("claims", minutes=20)
    assert desk.seen(moved) == set()
    synced.pull("claims", minutes=40)
    assert desk.seen(moved) == moved


def test_a_subscription_lost_over_there_is_renewed_and_is_nobodys_failure(desk, synced) -> None:
    synced.athena.remove("subscription", f"{CLIENT}:claims")
    (run,) = synced.pull("claims")
    assert run.outcome == Run.Outcome.DONE
    assert synced.feed("claims").subscription == Feed.Subscription.MISSING
    synced.practice.connection.refresh_from_db()
    assert synced.practice.connection.credential_failed_at is None
    synced.pull("claims")
    synced.pull("claims", minutes=6)
    assert synced.feed("claims").subscription == Feed.Subscription.ACTIVE
    moved = desk.bill()
    synced.pull("claims")
    assert desk.seen(moved) == moved


def test_a_subscription_to_some_events_is_widened_to_all(desk, synced) -> None:
    (whole,) = synced.athena.things("subscription", f"id = '{CLIENT}:appointments'")
    with Store(synced.athena.path) as store, store.transaction():
        part = msgspec.structs.replace(whole, events=("CheckIn",))
        store.put(PRACTICE, "subscription", [part])
    Feed.objects.filter(resource="appointments").update(subscription=Feed.Subscription.MISSING)
    synced.pull("appointments")
    assert synced.feed("appointments").subscription == Feed.Subscription.PARTIAL
    synced.pull("appointments")
    assert synced.feed("appointments").subscription == Feed.Subscription.ACTIVE


def test_a_stalled_feed_heals_by_itself(desk, synced) -> None:
    synced.athena.fault("stalled_feed", CHANGED)
    moved = desk.bill()
    synced.pull("claims")
    assert desk.seen(moved) == set()
    synced.athena.heal()
    synced.pull("claims")
    assert desk.seen(moved) == moved


def test_a_changed_claim_has_its_transactions_read_again(desk, synced) -> None:
    moved = desk.bill(2)
    synced.pull("claims")
    due = due_subjects(synced.practice).filter(resource="transactions")
    assert set(due.values_list("key", flat=True)) == moved


def test_an_older_copy_that_a_chunk_commits_late_does_not_replace_a_newer_one(synced, monkeypatch) -> None:
    """The chunk's page was fetched before the claim changed, and is committed after the feed has brought the change."""
    claim = next(one for one in synced.athena.things("claim") if one.primary)
    feed = synced.feed("claims")
    created = Claim.objects.get(external_id=claim.id).created_date
    backfill.ask(feed, created, created)
    commit = pull.commit
    overtaken: list[bool] = []

    def overtake(step, lease, *rest) -> None:
        if isinstance(lease, backfill.ChunkLease) and not overtaken:
            overtaken.append(True)
            slot = msgspec.structs.replace(claim.primary, status="FOLLOWUP")
            synced.athena.change(
                "claim", msgspec.structs.replace(claim, primary=slot, modified=synced.athena.time.now)
            )
            synced.pull("patients")  # a minute passes
            pull.run_feed(feed.pk)
        commit(step, lease, *rest)

    # what is stored differs from what the chunk brings, so that its copy is news
    slot = msgspec.structs.replace(claim.primary, status="BILLED")
    synced.athena.change("claim", msgspec.structs.replace(claim, primary=slot))
    monkeypatch.setattr(pull, "commit", overtake)
    assert pull.run_chunk(backfill.take_next(synced.practice.pk)).outcome == Run.Outcome.DONE
    assert overtaken
    assert Claim.objects.get(external_id=claim.id).primary_status == "FOLLOWUP"


# -- the subscription, and who else reads ----------------------------------------------------------------


def narrow(synced: Synced, **parts: object) -> None:
    """Somebody over there changes our subscription to appointments."""
    (whole,) = synced.athena.things("subscription", f"id = '{CLIENT}:appointments'")
    with Store(synced.athena.path) as store, store.transaction():
        store.put(PRACTICE, "subscription", [msgspec.structs.replace(whole, **parts)])


def cancel_one(synced: Synced) -> str:
    booked = next(one for one in synced.athena.things("appointment") if one.patient_id and one.status != "x")
    cancelled = msgspec.structs.replace(booked, status="x", modified=synced.athena.time.now)
    synced.athena.change("appointment", cancelled)
    return booked.id


def test_a_subscription_narrowed_over_there_is_seen_within_the_hour_and_widened(synced) -> None:
    narrow(synced, events=("CheckIn",))
    synced.pull("appointments", minutes=61)
    assert synced.feed("appointments").subscription == Feed.Subscription.PARTIAL
    synced.pull("appointments", minutes=6)
    assert synced.feed("appointments").subscription == Feed.Subscription.ACTIVE


def test_what_changes_while_the_subscription_is_not_active_comes_in_by_windows(synced) -> None:
    synced.athena.remove("subscription", f"{CLIENT}:appointments")
    synced.pull("appointments")
    for minutes in (1, 2, 4):  # asked for, waited for, just active
        moved = cancel_one(synced)
        synced.pull("appointments", minutes=minutes)
        assert Appointment.objects.get(practice=synced.practice, external_id=moved).status == "x"


def test_a_subscription_that_was_just_asked_for_is_waited_for_and_not_asked_for_again(synced) -> None:
    synced.athena.remove("subscription", f"{CLIENT}:claims")
    synced.pull("claims")
    (asked,) = synced.pull("claims")
    (waited,) = synced.pull("claims")
    assert synced.feed("claims").subscription == Feed.Subscription.PENDING
    assert waited.calls == asked.calls - 1


def test_another_program_that_reads_our_changed_feed_is_noticed(synced) -> None:
    synced.pull("appointments", minutes=16)
    for _ in range(6):
        cancel_one(synced)
    with source_for(synced.practice) as the_other_one:
        assert sum(len(page.items) for page in the_other_one.v1.changed("appointments")) == 6
    synced.pull("appointments", minutes=16)
    feed = synced.feed("appointments")
    assert (feed.delivered["fed"], feed.delivered["netted"]) == (0, 6)
    assert feeds.read_by_others(feed).startswith("6 of 6 changes of today came in by windows")


def test_a_feed_that_is_ours_alone_is_not_suspected(synced) -> None:
    synced.pull("appointments", minutes=16)
    for _ in range(6):
        cancel_one(synced)
    synced.pull("appointments", minutes=16)
    feed = synced.feed("appointments")
    assert (feed.delivered["fed"], feed.delivered["netted"]) == (6, 0)
    assert feeds.read_by_others(feed) == ""


def test_what_changed_while_the_subscription_was_not_yet_active_is_seen_all_the_same(
    connected, athena
) -> None:
    """Nobody announces it, a claim has no modification time to ask by, and a closed one is not read again by age."""
    pull_all(connected)
    claim = next(
        one
        for one in athena.things("claim")
        if {one.primary.status, one.secondary.status, one.patient.status} == {"CLOSED"}
    )
    (patient,) = athena.things("patient", f"id = '{claim.patient_id}'")
    athena.time.passes(minutes=2)
    reopened = msgspec.structs.replace(claim.primary, status="BILLED")
    athena.change("claim", msgspec.structs.replace(claim, primary=reopened, modified=athena.time.now))
    athena.change("patient", msgspec.structs.replace(patient, first_name="Quill", modified=athena.time.now))
    for minutes in (1, 4, 1):
        athena.time.passes(minutes=minutes)
        pull_all(connected)
    assert Feed.objects.get(practice=connected, resource="claims").subscription == Feed.Subscription.ACTIVE
    assert Claim.objects.get(practice=connected, external_id=claim.id).primary_status == "BILLED"
    assert Patient.objects.get(practice=connected, external_id=patient.id).first_name == "Quill"
