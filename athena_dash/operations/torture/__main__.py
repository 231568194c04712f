"""`python -m athena_dash.operations.torture OPTIONS`: inside the state directory that the command made for it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    minutes: float
    seed: int
    visits: int
    pace: float
    speed: float
    json: bool


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena_dash.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    import django

    django.setup()
    from athena_dash.operations.torture.run import torture

    options, began = msgspec.json.decode(sys.argv[1], type=Options), time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", file=sys.stderr, flush=True)

    report = torture(
        minutes=options.minutes,
        seed=options.seed,
        visits=options.visits,
        pace=options.pace,
        speed=options.speed,
        say=say,
    )
    print(json.dumps(report.as_json()) if options.json else "\n".join(report.lines()), flush=True)
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
