"""The last calls made for a practice, in a capped Redis stream. Free of PHI: a record holds an endpoint's template,
never an address, a parameter or a body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from athena_dash.sync.resources import spoken
from integrations.athena.calls import CallRecord

MOST = 5_000  # per practice, about 1 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """One attempt. `status` is None when no answer came; `outcome` is "ok" or an Action."""

    at: datetime
    feed: str
    endpoint: str
    status: int | None
    milliseconds: float
    bytes: int
    attempt: int
    outcome: str
    share: str
    request_id: str

    @property
    def feed_name(self) -> str:
        return spoken(self.feed)


def add(record: CallRecord, practice_id: int, feed: str, share: str, pipeline: Any) -> None:
    """A call of the pipeline's."""
    fields = {
        "feed": feed,
        "endpoint": record.endpoint,
        "status": record.status or "",
        "ms": record.milliseconds,
        "bytes": record.bytes,
        "attempt": record.attempt,
        "outcome": record.outcome,
        "share": share,
        "request_id": (record.request_id or "")[:200],
    }
    pipeline.xadd(_name(practice_id), fields, maxlen=MOST, approximate=True)


def latest(practice_id: int, client: redis.Redis) -> Iterator[LoggedCall]:
    """The newest first."""
    found: Any = client.xrevrange(_name(practice_id), count=MOST)
    for entry, fields in found:
        said = {name.decode(): value.decode() for name, value in fields.items()}
        yield LoggedCall(
            at=datetime.fromtimestamp(int(entry.split(b"-")[0]) / 1000, UTC),
            feed=said["feed"],
            endpoint=said["endpoint"],
            status=int(said["status"]) if said["status"] else None,
            milliseconds=float(said["ms"]),
            bytes=int(said["bytes"]),
            attempt=int(said["attempt"]),
            outcome=said["outcome"],
            share=said["share"],
            request_id=said["request_id"],
        )


def _name(practice_id: int) -> str:
    return f"calls:{practice_id}"
