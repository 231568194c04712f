"""Life goes on in a populated store: in order, announced where athena announces it, and never twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import life
from integrations.sandbox.store import Store, Transaction
from integrations.sandbox.world import Claim
from tests.sandbox.population.conftest import AS_OF
from tests.sandbox.population.test_truth import (
    test_every_cause_names_a_visit_with_records as causes_name_visits,
)

TABLES = ("thing", "truth", "change", "pending")


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with Store(path) as store:
        return {table: store.db.execute(f"select * from {table}").fetchall() for table in TABLES}


def test_what_was_booked_happens_and_is_announced_in_order(store: Store) -> None:
    assert life.advance(store, AS_OF + timedelta(days=10), 0, Random(1)) > 50
    changes = store.db.execute("select at, feed, event from change order by seq").fetchall()
    assert [at for at, _, _ in changes] == sorted(at for at, _, _ in changes)
    assert {"ScheduleAppointment", "CheckIn", "CheckOut", "UpdateClaim"} <= {event for _, _, event in changes}
    assert {feed for _, feed, _ in changes} <= {"appointments", "patients", "claims"}


def test_new_visits_begin_at_the_speed_asked_for(store: Store) -> None:
    life.advance(store, AS_OF + timedelta(days=1), 0, Random(1))
    before = count(store, "appointment")
    now = AS_OF + timedelta(days=1)
    for hour in range(1, 25):
        life.advance(store, now + timedelta(hours=hour), 60, Random(hour))
    # 400 visits in 548 days, three practices, 60 times as many: about 131 begin on such a day.
    assert 80 < count(store, "appointment") - before < 200


def test_two_bookings_never_share_a_slot(store: Store) -> None:
    life.advance(store, AS_OF + timedelta(days=3), 100, Random(5))
    booked = Counter(
        (practice, id)
        for practice, id, event in store.db.execute("select practice, id, event from change")
        if event == "ScheduleAppointment"
    )
    assert booked
    assert max(booked.values()) == 1


def test_a_store_without_population_has_no_life_and_no_truth(tmp_path: Path) -> None:
    with Store(tmp_path / "empty.db") as empty:
        with pytest.raises(LookupError):
            life.advance(empty, AS_OF, 1, Random(1))
        with pytest.raises(LookupError):
            Ledger.export(empty, AS_OF)


def test_holds_drops_and_denials_happen_in_silence(store: Store) -> None:
    """athena's claims feed announces creation, pay-off and patient balance only (athena-api.md §2.1)."""
    life.advance(store, AS_OF + timedelta(days=30), 0, Random(1))
    announced = {id for (id,) in store.db.execute("select id from change where feed='claims'")}
    moved = [
        claim
        for practice in ("195900", "195903", "11287")
        for claim in store.find(practice, "claim")
        if isinstance(claim, Claim) and claim.modified > AS_OF
    ]
    assert any(claim.id not in announced for claim in moved)


def test_the_past_is_not_announced_again(store: Store) -> None:
    life.advance(store, AS_OF, 1, Random(1))
    assert store.db.execute("select count(*) from change").fetchone() == (0,)


def test_the_ledger_goes_on_with_life(store: Store) -> None:
    now = AS_OF + timedelta(days=12)
    life.advance(store, now, 20, Random(3))
    ledger = Ledger.export(store, now)
    causes_name_visits(ledger)
    told = {(row.practice, row.id) for row in ledger.records if row.kind == "claim"}
    held = {(p, c.id) for p in ("195900", "195903", "11287") for c in store.find(p, "claim")}
    assert told == held
    assert all(cause.until is None or cause.until <= now for cause in ledger.causes)


def test_a_life_killed_by_the_system_is_the_life_undisturbed(path: Path, tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed.db"
    undisturbed.write_bytes(path.read_bytes())
    then = AS_OF + timedelta(days=150)
    with Store(undisturbed) as store:
        life.advance(store, then, 0, Random(1))
    script = (
        "import sys; from datetime import datetime; from random import Random\n"
        "from integrations.sandbox.population import life; from integrations.sandbox.store import Store\n"
        "life.advance(Store(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), 0, Random(1))\n"
    )
    with Store(path) as store:
        process = subprocess.Popen([sys.executable, "-c", script, str(path), then.isoformat()])
        deadline = time.monotonic() + 30
        while count(store, "change") < 20 and time.monotonic() < deadline:
            time.sleep(0.002)
        process.kill()
        process.wait()
        assert due(store, then) > 0, "killed too late to prove anything"
        life.advance(store, then, 0, Random(1))
    assert contents(path) == contents(undisturbed)


class DyingStore(Store):
    """A store whose process ends when it is about to begin its nth transaction."""

    left = 0

    def transaction(self) -> Transaction:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().transaction()


@pytest.mark.parametrize("transactions", [1, 2, 40])
def test_new_visits_are_neither_lost_nor_doubled_by_a_kill(path: Path, transactions: int) -> None:
    now = AS_OF + timedelta(days=2)
    with DyingStore(path) as store:
        store.left = transactions
        with pytest.raises(KeyboardInterrupt):
            life.advance(store, now, 40, Random(9))
    undisturbed = AS_OF + timedelta(days=2)
    with Store(path) as store:
        begun = count(store, "pending")
        life.advance(store, undisturbed, 40, Random(1))
        assert store.db.execute(
            "select count(*) from pending where at <= ?", (now.isoformat(),)
        ).fetchone() == (0,)
        assert begun > 0
        changes = store.db.execute("select practice, feed, id, event, at from change").fetchall()
        assert len(changes) == len(set(changes))


def due(store: Store, now: datetime) -> int:
    sql = "select count(*) from pending where at <= ?"
    return int(store.db.execute(sql, (now.isoformat(),)).fetchone()[0])


def count(store: Store, what: str) -> int:
    sql = (
        "select count(*) from thing where kind=?" if what == "appointment" else f"select count(*) from {what}"
    )
    args = (what,) if what == "appointment" else ()
    return int(store.db.execute(sql, args).fetchone()[0])
