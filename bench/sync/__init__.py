"""The whole sync beside its baselines, on one loopback stub, in one run: ours, bare COPY + upsert, and dlt.

`python -m bench sync` is the table of issue 3 §9; `sync quick` a small one for work on the pipeline (no dlt, one
round, with the seconds of each stage), and `sync quick profile` adds cProfile files in var/sync.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.sync import quick, whole


def run(*words: str) -> Iterator[dict[str, object]]:
    if words[:1] == ("quick",):
        return quick.run(profiled="profile" in words)
    return whole.run(rounds=int(words[0]) if words else 3)
