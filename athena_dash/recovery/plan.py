"""Failures into a Plan: a frozen list of what would run, what would not and why, and what it costs.

The plan travels in the page as a signed token and is not stored: starting it runs exactly the members seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db.models import Exists, OuterRef, QuerySet

from athena_dash.practices.models import Connection, Practice
from athena_dash.recovery.held import OpenGap, open_gaps
from athena_dash.recovery.models import Replay, ReplayItem, Verb
from athena_dash.sync.models import Failure
from athena_dash.sync.replay import suggest

SALT = "athena_dash.recovery.plan"
MAX_AGE = timedelta(hours=1)
SHARE_OF_RATE = 0.5  # the rest is the reserve for live traffic
SECONDS_PER_ITEM = 0.1  # to fetch, normalise, correlate and judge one record; measured with the sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One practice's part of a plan; it becomes one Replay."""

    practice: Practice
    failure_ids: tuple[int, ...]
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    verb: Verb
    why: str
    fingerprint: str
    as_of: datetime
    shares: tuple[Share, ...]
    already: int  # resolved before the plan was made
    blocked: dict[str, int]  # {reason in words: how many}
    no_right: int
    held: tuple[OpenGap, ...]

    @property
    def will_run(self) -> int:
        return sum(len(share.failure_ids) for share in self.shares)

    @property
    def calls(self) -> int:
        return sum(share.calls for share in self.shares)

    @property
    def seconds(self) -> float:
        """Practices run side by side, so the slowest one decides."""
        return max((share.seconds for share in self.shares), default=0)

    def token(self) -> str:
        members = {str(share.practice.pk): list(share.failure_ids) for share in self.shares}
        frozen = {
            "verb": self.verb.value,
            "fingerprint": self.fingerprint,
            "as_of": self.as_of.isoformat(),
            "members": members,
        }
        return signing.dumps(frozen, salt=SALT, compress=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPlan:
    """What a token holds."""

    verb: Verb
    fingerprint: str
    as_of: datetime
    members: dict[int, list[int]]  # {practice pk: failure pks}

    @classmethod
    def read(cls, token: str) -> FrozenPlan:
        """signing.BadSignature when the token was altered or is older than an hour."""
        frozen = signing.loads(token, salt=SALT, max_age=MAX_AGE)
        return cls(
            verb=Verb(frozen["verb"]),
            fingerprint=frozen["fingerprint"],
            as_of=datetime.fromisoformat(frozen["as_of"]),
            members={int(practice): ids for practice, ids in frozen["members"].items()},
        )


def make_plan(
    failures: QuerySet[Failure],
    *,
    replayable: QuerySet[Practice],
    verb: Verb | None,
    fingerprint: str,
    as_of: datetime,
) -> Plan:
    """`failures`: all the person may see; `replayable`: the practices in which they may replay."""
    in_replay = ReplayItem.objects.filter(
        failure=OuterRef("pk"), outcome=ReplayItem.Outcome.WAITING, replay__state__in=UNFINISHED
    )
    members = list(failures.order_by("pk").annotate(in_replay=Exists(in_replay)).select_related("feed"))
    may_replay = set(replayable.values_list("pk", flat=True))
    allowed = [failure for failure in members if failure.practice_id in may_replay]
    still_open = [failure for failure in allowed if failure.resolved_at is None]
    suggestions = [suggest(failure) for failure in still_open]
    commonest = Counter((each.verb, each.why) for each in suggestions).most_common(1)
    suggested, why = commonest[0][0] if commonest else (Verb.REFETCH.value, "")
    chosen = verb or Verb(suggested)

    runs: list[Failure] = []
    blocked: Counter[str] = Counter()
    for failure in still_open:
        if obstacle := _obstacle(failure, chosen, as_of):
            blocked[obstacle] += 1
        else:
            runs.append(failure)
    return Plan(
        verb=chosen,
        why=why if chosen == suggested else "",
        fingerprint=fingerprint,
        as_of=as_of,
        shares=_shares(runs, chosen, replayable),
        already=len(allowed) - len(still_open),
        blocked=dict(blocked),
        no_right=len(members) - len(allowed),
        held=tuple(open_gaps([failure.pk for failure in runs])),
    )


UNFINISHED = (Replay.State.RUNNING, Replay.State.PAUSED)


def _obstacle(failure: Failure, verb: Verb, now: datetime) -> str:
    if getattr(failure, "in_replay", False):
        return "already part of a replay that has not finished"
    if failure.claimed_until and failure.claimed_until > now:
        return "being tried at this moment"
    unstored = (Failure.SubjectKind.FEED, Failure.SubjectKind.CHUNK)
    if verb == Verb.REPROCESS and failure.subject_kind in unstored:
        return "nothing was stored to reprocess; re-fetch it instead"
    return ""


def _shares(failures: Sequence[Failure], verb: Verb, practices: QuerySet[Practice]) -> tuple[Share, ...]:
    rates = dict(
        Connection.objects.filter(practice__in=practices).values_list("practice_id", "calls_per_second")
    )
    shares = []
    for practice in practices:
        ids = tuple(failure.pk for failure in failures if failure.practice_id == practice.pk)
        if ids:
            calls = len(ids) if verb == Verb.REFETCH else 0
            seconds = len(ids) * SECONDS_PER_ITEM + calls / max(rates.get(practice.pk, 1) * SHARE_OF_RATE, 1)
            shares.append(Share(practice=practice, failure_ids=ids, calls=calls, seconds=seconds))
    return tuple(shares)
