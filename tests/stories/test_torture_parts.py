"""What `manage.py torture` leans on: a plan that follows its seed, and a proof that sees whatever is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from django.db import connection

from athena_dash.core import clock
from athena_dash.correlation.models import Link
from athena_dash.operations.torture import newcomer, processes, proof
from athena_dash.operations.torture.disturb import HTTP, VIOLENCE, Done
from athena_dash.operations.torture.plan import CALM, STORM, Kind, plan
from athena_dash.operations.torture.proof import Compared
from athena_dash.operations.torture.recovery import Healing
from athena_dash.operations.torture.report import Report, lag_figures
from athena_dash.operations.torture.truth import Row, Truth
from athena_dash.operations.torture.watch import Lag
from athena_dash.records.models import Appointment, Claim, ClaimStatusChange, Patient
from athena_dash.sync.models import RawRecord
from integrations.sandbox.server.fault_kinds import KINDS
from integrations.sandbox.world_time import WorldTime
from tests.sync.athena import NOW, PRACTICE
from tests.sync.rig import Synced


def test_a_plan_follows_its_seed_and_leaves_some_calm() -> None:
    planned = plan(7, 600)
    assert planned == plan(7, 600) != plan(8, 600)
    assert {one.kind for one in planned} == set(Kind), "ten minutes meet everything"
    assert all(one.at % (STORM + CALM) <= STORM for one in planned)


def test_whatever_a_plan_may_ask_for_can_be_done() -> None:
    assert set(HTTP) ^ set(VIOLENCE) == set(Kind)
    assert {fault["kind"] for fault in HTTP.values()} <= KINDS


def test_a_change_seen_during_a_disturbance_is_counted_apart() -> None:
    done = [Done(Kind.HTML, began=100, ended=110, hits=3)]
    before, during, after = (Lag(world=30, began=at, ended=at + 5) for at in (80, 107, 120))
    figures = lag_figures([before, during, after], done)
    assert {where: late["n"] for where, late in figures.items()} == {"outside disturbances": 2, "inside": 1}


def test_where_nothing_changed_no_lag_is_claimed() -> None:
    assert lag_figures([], []) == {
        where: {"n": 0, "p50": None, "p95": None} for where in ("outside disturbances", "inside")
    }


def test_a_part_of_a_record_nobody_knew_of_is_as_late_as_that_and_no_loss() -> None:
    chart, services, hour = ("encounters", "7"), ("services", "9"), timedelta(hours=1)
    encounter = Row(key="9", says={}, modified=NOW, asked=chart)
    service = Row(key="1", says={}, modified=NOW, asked=services, part_of=encounter)
    assert proof.changed_since_asked(service, {chart: NOW - hour}), (
        "the encounter came after its chart was read"
    )
    assert not proof.changed_since_asked(service, {chart: NOW + hour}), (
        "it was there, and nobody asked about it"
    )
    assert not proof.changed_since_asked(service, {chart: NOW - hour, services: NOW + hour}), (
        "and here it was"
    )


def test_an_orphan_is_found_by_its_parent_and_ended() -> None:
    child = subprocess.Popen(["sleep", "60"])
    assert child.pid in processes.children(os.getpid())
    assert "sleep 60" in processes.command(child.pid)
    processes.end(child.pid)
    assert child.pid not in processes.children(os.getpid())
    assert processes.send(child.pid, signal.SIGCONT) == 0


def test_the_worlds_time_runs_at_its_pace_leaps_and_never_goes_back(tmp_path: Path) -> None:
    time = WorldTime(tmp_path / "clock")
    time.begin(NOW, pace=3600)
    first = time.now()
    time.leap(NOW + timedelta(days=1))
    later = time.now()
    time.leap(NOW)
    assert NOW <= first < NOW + timedelta(days=1) <= later <= time.now()


def test_a_process_that_is_given_a_clock_lives_by_it(tmp_path: Path) -> None:
    time = WorldTime(tmp_path / "clock")
    time.begin(NOW, pace=1)
    asks = "import django; django.setup(); from athena_dash.core import clock; print(clock.now().isoformat())"
    lives_by = {**os.environ, "ATHENA_DASH_CLOCK": str(time.file)}
    said = subprocess.check_output(
        [sys.executable, "-c", asks], cwd=settings.BASE_DIR, env=lives_by, text=True
    )
    assert NOW < datetime.fromisoformat(said.strip()) < NOW + timedelta(hours=1)


def tables(synced: Synced) -> dict[str, Compared]:
    truth = Truth.read(synced.athena.path, PRACTICE, clock.now())
    return {one.table: one for one in proof.compare_all(synced.practice, truth)}


def test_a_practice_left_alone_holds_all_that_athena_has_and_nothing_twice(synced: Synced) -> None:
    found = tables(synced)
    assert {name: (one.missing, one.differing, one.extra) for name, one in found.items() if one.wrong} == {}
    assert all(one.expected == one.present > 0 for one in found.values())
    assert not any(proof.twice(synced.practice).values())


def test_a_row_that_vanished_or_says_something_else_or_was_never_athenas_is_named(synced: Synced) -> None:
    gone, changed = Appointment.objects.order_by("pk")[:2]
    Appointment.objects.filter(pk=gone.pk).delete()
    Appointment.objects.filter(pk=changed.pk).update(minutes=999)
    Patient.objects.create(practice=synced.practice, external_id="999999", fetched_at=NOW)
    found = tables(synced)
    assert found["Appointment"].missing == [gone.external_id]
    assert found["Appointment"].differing == [f"{changed.external_id} minutes"]
    assert found["Patient"].extra == ["999999"]


def test_a_change_that_athena_announces_must_be_here_and_a_silent_one_is_told_apart(synced: Synced) -> None:
    claim = next(one for one in synced.athena.things("claim") if one.charges)
    synced.athena.time.passes(minutes=5)
    slot = msgspec.structs.replace(claim.primary, status="PAIDWRONG")
    first, *others = claim.charges
    charges = (msgspec.structs.replace(first, payments=first.payments + 1), *others)
    edited = msgspec.structs.replace(claim, primary=slot, charges=charges, modified=clock.now())
    synced.athena.change("claim", edited)
    found = tables(synced)
    assert found["Claim"].differing == [f"{claim.id} primary_status"]
    assert (found["ChargeLine money"].wrong, found["ChargeLine money"].older) == (0, 1)


def test_what_is_kept_twice_is_named(synced: Synced) -> None:
    link = Link.objects.filter(kind="claim").first()
    raw = RawRecord.objects.filter(resource="claims").latest("pk")
    status = ClaimStatusChange(
        practice=synced.practice,
        claim_id="1",
        slot="primary",
        status="HOLD",
        first_seen=clock.now(),
        ended_at=clock.now(),
    )
    status.save()
    with connection.cursor() as cursor:
        cursor.execute("alter table correlation_link drop constraint one_link_per_record")
    link.pk = raw.pk = status.pk = None
    link.save(), raw.save(), status.save()
    found = {name: ids for name, ids in proof.twice(synced.practice).items() if ids}
    assert found == {
        "links": [f"claim {link.record_id}"],
        "payloads": [f"claims {raw.pk}"],
        "statuses left": [f"{status.claim_id} {status.slot}"],
    }


def test_a_link_or_a_gap_other_than_a_newcomers_is_named_by_its_key(synced: Synced) -> None:
    before = newcomer.contents(synced.practice)
    link = Link.objects.filter(kind="claim", state="linked").first()
    Link.objects.filter(pk=link.pk).update(state="unmatched", visit=None)
    assert newcomer.unequal(newcomer.contents(synced.practice), before) == {
        "Link": [f"claim {link.record_id} state, visit__anchor, visit__anchor_id"]
    }
    assert newcomer.unequal(before, before) == {}


@pytest.mark.parametrize("wrong", ["missing", "differing", "nothing"])
def test_a_report_is_sound_only_when_nothing_differs_and_names_ids_alone(synced: Synced, wrong: str) -> None:
    claim = Claim.objects.first()
    if wrong == "missing":
        claim.delete()
    elif wrong == "differing":
        Claim.objects.filter(pk=claim.pk).update(primary_status="LOST")
    found = list(tables(synced).values())
    report = Report(
        seed=1, minutes=1, pace=1, tables=found, twice={}, left={}, unequal={}, done=[], calls=0, limited=0,
        bursts=0, healing=Healing(), lags=[], unseen=0, seconds=1,
    )  # fmt: skip
    said = "\n".join(report.lines())
    assert report.sound is report.as_json()["sound"] is (wrong == "nothing")
    assert (claim.external_id in said) is (wrong != "nothing")
    assert "LOST" not in said
