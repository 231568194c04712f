"""What a run found, for people and as JSON. Ids only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from athena_dash.operations.torture.disturb import Done
from athena_dash.operations.torture.plan import Kind
from athena_dash.operations.torture.proof import Compared
from athena_dash.operations.torture.recovery import Healing
from athena_dash.operations.torture.watch import Lag

KINDS = list(Kind)
SHOWN = 12  # ids in one line
COLUMNS = ("expected", "present", "missing", "doubled", "differing", "extra", "older")
BEFORE = 1.0  # seconds around a disturbance that still count as inside


@dataclass(frozen=True)
class Report:
    seed: int
    minutes: float
    pace: float
    tables: list[Compared]
    twice: dict[str, list[str]]
    left: dict[str, int]
    unequal: dict[str, list[str]]
    done: list[Done]
    calls: int
    limited: int
    bursts: int  # 429s that a disturbance asked for
    healing: Healing
    lags: list[Lag]
    unseen: int
    seconds: float

    @property
    def sound(self) -> bool:
        wrong = any(table.wrong for table in self.tables) or any(self.twice.values())
        return not (wrong or self.left or self.unequal)

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "pace": self.pace,
            "sound": self.sound,
            "tables": [vars(table) for table in self.tables],
            "twice": self.twice,
            "left": self.left,
            "unequal": self.unequal,
            "disturbances": counts(self.done),
            "calls": self.calls,
            "limited": self.limited,
            "bursts": self.bursts,
            "recovery": vars(self.healing),
            "lag": lag_figures(self.lags, self.done),
            "changes_unseen": self.unseen,
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> Iterable[str]:
        yield f"torture: seed {self.seed}, {self.minutes:g} min, the world's time runs {self.pace:g} times as fast"
        yield f"{'table':18}" + "".join(f"{name:>10}" for name in COLUMNS)
        for one in self.tables:
            wrong = (len(one.missing), len(one.doubled), len(one.differing), len(one.extra))
            numbers = (one.expected, one.present, *wrong, one.older)
            yield f"{one.table:18}" + "".join(f"{number:10}" for number in numbers)
        yield "kept twice: " + ", ".join(f"{name} {len(ids)}" for name, ids in self.twice.items())
        yield "left undone: " + (", ".join(f"{name} {n}" for name, n in self.left.items()) or "nothing")
        unequal = ", ".join(f"{table} {len(ids)}" for table, ids in self.unequal.items())
        yield "against a practice that joins today: " + (unequal or "equal")
        for kind, did in counts(self.done).items():
            yield f"  {did['times']:3} × {kind}" + (
                f" ({did['hits']} hits)" if did["hits"] != did["times"] else ""
            )
        own = self.limited - self.bursts
        share = 100 * own / max(self.calls, 1)
        yield f"calls {self.calls}; 429s {self.limited}, {self.bursts} of them asked for, our own {own} ({share:.3f} %)"
        healing = self.healing
        yield (
            f"recovery: {'right' if healing.healed else 'not yet right'} by itself after {healing.seconds:.0f} s "
            f"({healing.world / 60:.0f} min of the world's time, {healing.leaps} leaps to the next retry); "
            f"{healing.replayed} failures waited for a person, {healing.confirmed} settled by replay"
        )
        for where, late in lag_figures(self.lags, self.done).items():
            timed = f", p50 {late['p50']} s, p95 {late['p95']} s of the world's time" if late["n"] else ""
            yield f"lag {where}: {late['n'] or 'no'} changes{timed}"
        yield from self.ids()
        yield f"{'sound' if self.sound else 'NOT SOUND'} ({self.seconds:.0f} s)"

    def ids(self) -> Iterable[str]:
        for one in self.tables:
            for name in ("missing", "doubled", "differing", "extra"):
                yield from shown(f"{one.table} {name}", getattr(one, name))
        for name, ids in self.twice.items():
            yield from shown(f"twice {name}", ids)
        for table, ids in self.unequal.items():
            yield from shown(f"unequal {table}", ids)


def shown(name: str, ids: Sequence[str]) -> Iterable[str]:
    if ids:
        yield f"{name}: {'; '.join(ids[:SHOWN])}{f' and {len(ids) - SHOWN} more' if len(ids) > SHOWN else ''}"


def counts(done: Iterable[Done]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"times": 0, "hits": 0})
    for one in sorted(done, key=lambda one: KINDS.index(one.kind)):
        found[one.kind.value]["times"] += 1
        found[one.kind.value]["hits"] += one.hits
    return dict(found)


def lag_figures(lags: Sequence[Lag], done: Sequence[Done]) -> dict[str, dict[str, float | None]]:
    """Inside: some disturbance was under way between the change and our seeing it."""
    inside = [
        lag for lag in lags if any(one.began - BEFORE < lag.ended and lag.began < one.ended for one in done)
    ]
    outside = [lag for lag in lags if lag not in inside]
    return {"outside disturbances": figures(outside), "inside": figures(inside)}


def figures(lags: Sequence[Lag]) -> dict[str, float | None]:
    late = sorted(lag.world for lag in lags)
    return {"n": len(late), "p50": quantile(late, 0.5), "p95": quantile(late, 0.95)}


def quantile(late: Sequence[float], share: float) -> float | None:
    return round(late[min(int(len(late) * share), len(late) - 1)], 1) if late else None
