"""kill -9 in the middle of a sync loses nothing and doubles nothing: in the end all is as if nothing had happened."""

from __future__ import annotations

import random
import time as wall
from collections import Counter

import msgspec
import pytest

from athena_dash.correlation.models import Visit
from athena_dash.operations.torture.newcomer import DATED_BY_US
from athena_dash.practices.models import Practice
from athena_dash.records.models import Claim
from athena_dash.sync import audit, backfill_audit, feeds, pipeline
from athena_dash.sync.models import Audit, Backfill, Failure, Feed, RawSegment, Touched
from tests.stories.killing import run_and_kill
from tests.sync.athena import CLIENT, PRACTICE, SECRET, Athena
from tests.sync.rig import connect, contents, due_subjects, forget_shared, open_failures, pull_all, settle

KILLS = 12


def join(slug: str, athena: Athena, client: str = CLIENT) -> Practice:
    """A practice of ours on that athena, with a credential of its own: a changed feed belongs to the key."""
    athena.register(client, SECRET)
    practice = Practice.objects.create(slug=slug, name=slug, athena_id=PRACTICE)
    connection = connect(practice, athena)
    connection.client_id = client
    connection.save()
    feeds.create_feeds(practice)
    return practice


def restart(practice: Practice, athena: Athena) -> None:
    """Time enough passes for a dead worker's lease to run out, and the tick does its duty."""
    athena.time.passes(minutes=3)
    settle(practice)


def move_claims(athena: Athena, rng: random.Random) -> None:
    """Life goes on over there: some claims move, and the changed feed will say so exactly once. None is held in
    between, because who has seen a hold also reads its notes."""
    free = [one for one in athena.things("claim") if one.primary and not one.primary.status.endswith("HOLD")]
    for claim in rng.sample(free, 3):
        slot = msgspec.structs.replace(claim.primary, status=rng.choice(["DROP", "BILLED", "FOLLOWUP"]))
        athena.change("claim", msgspec.structs.replace(claim, primary=slot, modified=athena.time.now))


@pytest.mark.django_db(transaction=True)
def test_a_sync_killed_at_many_moments_ends_like_one_that_was_left_alone(athena, capsys) -> None:
    forget_shared()
    rng = random.Random(9)
    practice, alone = join("killed", athena), join("alone", athena, client="another-key")
    killed = unfinished = left_behind = 0
    began = wall.monotonic()
    for number in range(KILLS):
        since = wall.monotonic()
        pull_all(alone)
        takes = wall.monotonic() - since  # what is killed has as much to do, or more
        killed += run_and_kill(
            lambda: pull_all(practice) and None, after=rng.uniform(0.02, 0.9) * takes
        ).killed
        unfinished += Feed.objects.filter(practice=practice, lease_until__isnull=False).count()
        left_behind += RawSegment.objects.filter(practice=practice, processed_version=None).count()
        restart(practice, athena)
        if number >= 4:
            move_claims(athena, rng)
    for _ in range(2):
        restart(practice, athena)
        pull_all(practice), pull_all(alone)
    for one in (
        practice,
        alone,
    ):  # dollars lean on what was learnt by then: let both look once more, with all of it
        pipeline.learn_prices(one.pk)
        pipeline.rejudge(one.pk, list(Visit.objects.for_practice(one).values_list("pk", flat=True)))
    seconds = wall.monotonic() - began
    assert killed >= 10, "the kills must fall into the work"
    mine, undisturbed = contents(practice), contents(alone)
    counts = {table: len(rows) for table, rows in undisturbed.items()}
    assert differing(mine, undisturbed) == {}
    assert not due_subjects(practice).exists()
    assert not Failure.objects.filter(practice=practice, resolved_at=None).exists()
    assert not RawSegment.objects.filter(practice=practice, processed_version=None).exists()
    assert not Touched.objects.filter(practice=practice).exists()
    assert not Feed.objects.filter(practice=practice, lease_until__isnull=False).exists()
    with capsys.disabled():
        print(
            f"\nkill -9: {killed} of {KILLS} workers killed in mid-sync in {seconds:.1f} s; they left "
            f"{unfinished} leases held and {left_behind} segments of payloads unprocessed; "
            f"afterwards {sum(counts.values())} rows, links and gaps equal"
        )


def differing(
    mine: dict[str, list[tuple[object, ...]]], other: dict[str, list[tuple[object, ...]]]
) -> dict[str, Counter[str]]:
    """What one side has more often than the other, by table. The history of statuses differs by right: who looks
    later has seen less. So do the gaps whose clock is that history."""
    found = {}
    for table in mine.keys() - {"ClaimStatusChange"}:
        more, less = (
            Counter(repr(row) for row in side[table] if not (table == "Gap" and row[0] in DATED_BY_US))
            for side in (mine, other)
        )
        if more != less:
            found[table] = (more - less) + (less - more)
    return found


@pytest.mark.django_db(transaction=True)
def test_comparing_a_first_load_killed_at_many_moments_leaves_out_no_day_and_nothing_that_was_lost(
    athena,
) -> None:
    forget_shared()
    rng = random.Random(5)
    practice = join("killed", athena)
    pull_all(practice)
    before = contents(practice)
    lost = list(
        Claim.objects.exclude(created_date=None).order_by("created_date").values_list("pk", flat=True)
    )
    Claim.objects.filter(pk__in=lost[::2]).delete()

    def compare() -> None:
        while backfill_audit.take_next(practice):
            pass

    killed = 0
    for _ in range(KILLS):
        killed += run_and_kill(compare, after=rng.uniform(0.05, 0.5)).killed
        athena.time.passes(minutes=31)  # until then the dead one's audit counts as running
    compare()
    assert killed >= 4, "the kills must fall into the work"
    assert contents(practice)["Claim"] == before["Claim"]
    assert {one.compared_from == one.first for one in Backfill.objects.filter(practice=practice)} == {True}
    weeks = Audit.objects.filter(practice=practice, kind="claims", finished_at__isnull=False, problem="")
    assert len(set(weeks.values_list("window", flat=True))) >= audit.WEEKS
    assert not open_failures(practice).filter(subject_kind="audit").exists()
