"""What goes wrong and when, by the seed: storms with calm between them, in a storm one disturbance after another."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

STORM, CALM = 35.0, 40.0  # seconds of the machine
APART = (1.5, 4.0)


class Kind(StrEnum):
    KILL_WORKER = "worker killed"
    KILL_JOB = "job killed in its worker"
    STOP_WORKER = "worker stopped beyond its lease, then continued"
    KILL_VALKEY = "Valkey killed, its file deleted"
    KILL_POSTGRES = "PostgreSQL killed"
    KILL_ATHENA = "sandbox killed"
    ROTATE = "credential rotated"
    LOST_PAGE = "changed page lost after it was marked processed"
    DROPPED = "answer cut half way"
    UNANSWERED = "connection closed before an answer"
    DUPLICATED = "rows of a page sent again"
    SKIPPED = "rows of a page left out"
    TRUNCATED = "JSON truncated"
    MALFORMED = "JSON malformed"
    HTML = "HTML for JSON"
    SLOW = "answers slow"
    TOO_MANY = "429 burst"
    SERVER_ERROR = "5xx"
    SPOILED = "records corrupted"


HOW_OFTEN = {Kind.KILL_WORKER: 3, Kind.KILL_JOB: 3, Kind.LOST_PAGE: 2}
"""In one deck; what is not named comes once."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    at: float  # seconds after the beginning
    kind: Kind
    lasting: float  # seconds; a kill is over when what was killed is back
    lot: float  # 0..1, picks the victim


def plan(seed: int, seconds: float) -> list[Disturbance]:
    rng = random.Random(f"torture {seed}")  # noqa: S311 reproducible, not secret
    deck, at = shuffled(rng), 0.0
    planned: list[Disturbance] = []
    while True:
        at += rng.uniform(*APART)
        if at % (STORM + CALM) > STORM:
            at += STORM + CALM - at % (STORM + CALM)
        if at >= seconds:
            return planned
        planned.append(Disturbance(round(at, 2), next(deck), round(rng.uniform(2, 6), 2), rng.random()))


def shuffled(rng: random.Random) -> Iterator[Kind]:
    """Each kind before any comes again, so that a short run too meets most of them."""
    while True:
        deck = [kind for kind in Kind for _ in range(HOW_OFTEN.get(kind, 1))]
        rng.shuffle(deck)
        yield from deck
