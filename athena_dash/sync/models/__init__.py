"""What the sync remembers: feeds and cursors, runs, raw payloads, subjects to ask about, failures, audits."""

from athena_dash.sync.models.audit import Audit
from athena_dash.sync.models.failure import Attempt, Failure, Reason, Stage
from athena_dash.sync.models.feed import Feed, Run, Subject
from athena_dash.sync.models.raw import RawRecord

__all__ = ["Attempt", "Audit", "Failure", "Feed", "RawRecord", "Reason", "Run", "Stage", "Subject"]
