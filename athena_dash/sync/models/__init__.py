"""What the sync remembers: feeds and cursors, runs, raw payloads, subjects to ask about, failures, audits, live
reads."""

from athena_dash.sync.models.audit import Audit
from athena_dash.sync.models.backfill import Backfill, BackfillChunk
from athena_dash.sync.models.failure import Attempt, Failure, Reason, Stage
from athena_dash.sync.models.feed import CursorMove, Feed, Run, Subject
from athena_dash.sync.models.live_read import LiveRead
from athena_dash.sync.models.plan import Plan
from athena_dash.sync.models.raw import Arrival, RawRecord, RawSegment, Touched

__all__ = [
    "Arrival",
    "Attempt",
    "Audit",
    "Backfill",
    "BackfillChunk",
    "CursorMove",
    "Failure",
    "Feed",
    "LiveRead",
    "Plan",
    "RawRecord",
    "RawSegment",
    "Reason",
    "Run",
    "Stage",
    "Subject",
    "Touched",
]
