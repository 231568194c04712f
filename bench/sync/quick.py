"""5k encounters, 5k claims, 15k charges, one round, no dlt: for work on the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.sync import complete, copying, ours
from bench.sync.cluster import GROUND, cluster
from bench.sync.corpus import corpus
from bench.sync.ground import VAR, figures, measured, prepare, stub

SIZE = 5_000


def run(*, profiled: bool) -> Iterator[dict[str, object]]:
    made = corpus(SIZE, VAR)
    with cluster() as services, stub(made) as play:
        prepare(services, play, made)
        for contender in ("ours", "copy"):
            services.create(contender, GROUND)
        conninfo = services.postgres.conninfo("copy")
        for case, version in (("first", 1), ("unchanged", 1), ("changed", 2)):
            address = play(version)
            baseline, _ = measured(services, "copy", partial(copying.copy, conninfo, address))
            profile = VAR / f"quick-{case}" if profiled else None
            leg, written = measured(services, "ours", partial(ours.pull, "ours", profile))
            times = {
                "vs_copy": round(leg.seconds / baseline.seconds, 2),
                "cpu_vs_copy": round(leg.busy / baseline.busy, 2),
            }
            yield {"case": case, **figures(made, leg), **times, **written}
            yield {"case": case, "contender": "copy", **figures(made, baseline)}
            yield {"case": case, "stages": "wall/cpu", **leg.stages}
            yield {"case": case, **complete.of_ours(services, "ours", made, version)}
            complete.of_rows(services, "copy", made)
            services.vacuum("ours")
