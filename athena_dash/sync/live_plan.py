"""Which visits the night asks athena about by itself, after its audit: gaps that nothing confirms yet, dearest first,
few of them."""

from __future__ import annotations

from django.db.models import F, QuerySet

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Verdict
from athena_dash.sync import live_read, pipeline
from athena_dash.sync.audit import EVERY
from athena_dash.sync.models import LiveRead
from athena_dash.sync.questions import AWAITS

GAPS_PER_READ = 10  # ten live reads for a hundred gaps, those of people included
MOST = 500  # of one practice and night
AT_A_TIME = 20  # of one job
DOUBTFUL = (Verdict.UNVERIFIED, Verdict.SUSPECT_SYNC)


def weigh(practice_id: int) -> None:
    """Judge doubtful gaps again, in the light of what an audit has just counted."""
    doubtful = doubtful_gaps(practice_id).order_by("visit").values_list("visit_id", flat=True)
    ids = list(dict.fromkeys(doubtful))
    for start in range(0, len(ids), pipeline.BATCH):
        pipeline.rejudge(practice_id, ids[start : start + pipeline.BATCH])


def plan_night(practice_id: int) -> int:
    """Reads for tonight, waiting to be made; how many."""
    now = clock.now()
    gaps = open_gaps(practice_id)
    made = LiveRead.objects.for_practice(practice_id).filter(created_at__gt=now - EVERY).count()
    left = min(gaps.count() // GAPS_PER_READ - made, MOST)
    if left <= 0:
        return 0
    underway = LiveRead.objects.for_practice(practice_id).filter(finished_at__isnull=True).values("visit")
    doubtful = doubtful_gaps(practice_id).exclude(visit__in=underway)
    dearest = doubtful.order_by(F("at_risk").desc(nulls_last=True), "-pk").values_list("visit_id", flat=True)
    rows = [
        LiveRead(practice_id=practice_id, visit_id=visit_id, trigger=LiveRead.Trigger.NIGHT, created_at=now)
        for visit_id in dearest[:left]
    ]
    return len(LiveRead.objects.bulk_create(rows))


def open_gaps(practice_id: int) -> QuerySet[Gap]:
    gaps: QuerySet[Gap] = Gap.objects.for_practice(practice_id).filter(
        closed_at__isnull=True, primary=True, visit__isnull=False
    )
    return gaps


def doubtful_gaps(practice_id: int) -> QuerySet[Gap]:
    return open_gaps(practice_id).filter(verdict__in=DOUBTFUL, code__in=AWAITS)


def waiting() -> list[tuple[int, str]]:
    """(practice, trigger) of the reads that are to be made."""
    open_reads = LiveRead.objects.filter(live_read.takeable(), finished_at__isnull=True)
    active = open_reads.filter(practice__paused_at__isnull=True)
    return sorted(set(active.values_list("practice_id", "trigger")))


def make(practice_id: int, trigger: str, most: int = AT_A_TIME) -> None:
    """Make the oldest of the waiting reads, one after the other, up to one that fails: the tick comes back for the
    rest, and the next one would probably meet the same."""
    rows = LiveRead.objects.for_practice(practice_id).filter(
        live_read.takeable(), finished_at__isnull=True, trigger=trigger
    )
    for read_id in list(rows.order_by("created_at", "pk").values_list("pk", flat=True)[:most]):
        if not live_read.run(read_id):
            return
