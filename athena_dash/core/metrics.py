"""Metrics into Prometheus' text exposition format 0.0.4, and the queues' lengths as the first of them.

Labels are slugs, codes and names of feeds: nothing about a patient can be written here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.conf import settings
from django_rq import get_queue
from redis import RedisError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """`suffix` tells the samples of a histogram apart: _bucket, _sum, _count."""

    value: float
    labels: Mapping[str, str]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """`name` without the product's prefix, with its unit at the end; `kind` is gauge, counter or histogram."""

    name: str
    help: str
    samples: tuple[Sample, ...]
    kind: str = "gauge"


def histogram(
    bounds: Iterable[float], buckets: Sequence[int], total: float, labels: Mapping[str, str]
) -> Iterator[Sample]:
    """Cumulative, as Prometheus has it; `buckets` one more than `bounds`."""
    for bound, number in zip((*(f"{each:g}" for each in bounds), "+Inf"), accumulate(buckets), strict=True):
        yield Sample(number, {**labels, "le": bound}, "_bucket")
    yield Sample(total, labels, "_sum")
    yield Sample(sum(buckets), labels, "_count")


def written(families: Iterable[Family]) -> str:
    return "".join(line + "\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    name = f"athena_dash_{family.name}"
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
        named = f"{name}{sample.suffix}{{{labels}}}" if labels else f"{name}{sample.suffix}"
        yield f"{named} {_number(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.10g}"


def queue_families() -> list[Family]:
    """A queue that does not answer has no length, and says so."""
    try:
        lengths = {name: get_queue(name).count for name in settings.RQ_QUEUES}
    except RedisError:
        lengths = {}
    return [
        Family("queue_up", "Whether Valkey answers.", (Sample(bool(lengths), {}),)),
        Family(
            "queue_jobs",
            "Jobs waiting for a worker.",
            tuple(Sample(length, {"queue": name}) for name, length in lengths.items()),
        ),
    ]
