"""What a person asked to see of the failures into a queryset, and how many each other choice would show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from athena_dash.recovery.models import GroupState
from athena_dash.sync.models import Failure, Reason, Stage

STATES = {
    "open": "Open",
    "person": "Needs a person",
    "waiting": "Retrying",
    "muted": "Muted",
    "resolved": "Resolved",
}
KEPT_RESOLVED = timedelta(days=7)
FACETS = {"practice": "practice__slug", "reason": "reason", "stage": "stage", "feed": "feed__resource"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFilter:
    """Empty means any; `state` always has a value."""

    practice: str = ""
    reason: str = ""
    stage: str = ""
    feed: str = ""
    state: str = "open"

    @classmethod
    def of(cls, query: Mapping[str, str]) -> FailureFilter:
        """Words of a query string; one that names nothing we know is left out rather than refused."""
        return cls(
            practice=query.get("practice", ""),
            reason=_known(query.get("reason", ""), Reason.values),
            stage=_known(query.get("stage", ""), Stage.values),
            feed=query.get("feed", ""),
            state=_known(query.get("state", ""), list(STATES)) or "open",
        )

    def without(self, facet: str) -> FailureFilter:
        return replace(self, **{facet: ""})

    def choosing(self, facet: str, value: str) -> FailureFilter:
        return replace(self, **{facet: value})

    def words(self) -> dict[str, str]:
        """What goes into a link: only what differs from the default."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value and (name, value) != ("state", "open")
        }

    def apply(self, failures: QuerySet[Failure], now: datetime) -> QuerySet[Failure]:
        for name, column in FACETS.items():
            if value := getattr(self, name):
                failures = failures.filter(**{column: value})
        return failures.filter(_in_state(self.state, now))


def _known(word: str, words: list[str]) -> str:
    return word if word in words else ""


def _in_state(state: str, now: datetime) -> Q:
    muted = Q(
        Exists(
            GroupState.objects.filter(
                practice_id=OuterRef("practice_id"), fingerprint=OuterRef("fingerprint"), muted_until__gt=now
            )
        )
    )
    is_open = Q(resolved_at__isnull=True)
    return {
        "open": is_open & ~muted,
        "person": is_open & ~muted & Q(next_try_at__isnull=True),
        "waiting": is_open & ~muted & Q(next_try_at__isnull=False),
        "muted": is_open & muted,
        "resolved": Q(resolved_at__gte=now - KEPT_RESOLVED),
    }[state]


def facet_counts(
    failures: QuerySet[Failure], chosen: FailureFilter, now: datetime
) -> dict[str, dict[str, int]]:
    """{facet: {value: failures}}, each facet counted under all the other chosen ones; one grouped query."""
    cube: list[dict[str, Any]] = list(
        FailureFilter(state=chosen.state)
        .apply(failures, now)
        .values(*FACETS.values())
        .annotate(n=Count("pk"))
    )
    counts: dict[str, dict[str, int]] = {}
    for facet, column in FACETS.items():
        others = {
            FACETS[name]: getattr(chosen, name) for name in FACETS if name != facet and getattr(chosen, name)
        }
        tally: Counter[str] = Counter()
        for cell in cube:
            if all(cell[other] == value for other, value in others.items()):
                tally[cell[column] or ""] += cell["n"]
        counts[facet] = dict(tally.most_common())
    return counts
