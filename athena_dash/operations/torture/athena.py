"""`python -m athena_dash.operations.torture.athena`: the sandbox in the world's time, its people at work.

Life is the population's own (visits booked, attended, billed) and, because few claims move within minutes, some edits
by staff beside it. Imports no Django, so that it is soon back after a kill.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import msgspec

from integrations.sandbox.population import life
from integrations.sandbox.server import Preset, create_app, make_server
from integrations.sandbox.store import Store
from integrations.sandbox.world import Appointment, Claim, Patient
from integrations.sandbox.world_time import WorldTime

EVERY = 0.5  # seconds of the machine
EDITS = 2
EVENTS = {"claim": "UpdateClaim", "appointment": "UpdateAppointment", "patient": "UpdatePatient"}
STATUSES = ("HOLD", "DROP", "BILLED", "FOLLOWUP", "CLOSED")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    state: Path
    clock: Path
    port: int
    seed: int
    speed: float = 0  # of life; 0: time passes and nobody does anything
    calls_per_second: int = 40
    page: int = 5


def main() -> None:
    options = msgspec.json.decode(sys.argv[1], type=Options, dec_hook=lambda kind, text: kind(text))
    now = WorldTime(options.clock).now
    preset = Preset(
        name="torture",
        tokens_per_minute=600,
        calls_per_second=options.calls_per_second,
        calls_per_day=10_000_000,
        activation_lag=timedelta(minutes=1),
        largest_page=options.page,
    )
    app = create_app(options.state, preset=preset, clock=now, seed=options.seed)
    server = make_server(app, port=options.port)
    if options.speed:
        threading.Thread(target=live, args=(options,), daemon=True).start()
    server.run()


def live(options: Options) -> None:
    now, rng = WorldTime(options.clock).now, random.Random(f"life {options.seed} {time.monotonic()}")  # noqa: S311
    with Store(options.state) as store:
        practices = [id for (id,) in store.db.execute("select distinct practice from thing")]
        while True:
            time.sleep(EVERY)
            life.advance(store, now(), options.speed, rng)
            for practice in practices:
                for _ in range(EDITS):
                    edit(store, practice, rng, WorldTime(options.clock))


def edit(store: Store, practice: str, rng: random.Random, clock: WorldTime) -> None:
    """Somebody works on a claim, an appointment or a patient, and the changed feed will say so exactly once."""
    kind = rng.choices(tuple(EVENTS), weights=(6, 2, 1))[0]
    sql = "select id from thing where practice=? and kind=?"
    ids = [id for (id,) in store.db.execute(sql, (practice, kind))]
    with store.transaction():
        thing = store.get(practice, kind, rng.choice(ids))
        at = clock.now()
        if isinstance(thing, Claim) and not thing.voided:
            slot = msgspec.structs.replace(thing.primary, status=rng.choice(STATUSES))
            edited: Claim | Appointment | Patient = msgspec.structs.replace(thing, primary=slot, modified=at)
        elif isinstance(thing, Appointment) and thing.patient_id:
            edited = msgspec.structs.replace(thing, minutes=rng.randrange(5, 90, 5), modified=at)
        elif isinstance(thing, Patient) and not thing.merged_into:
            edited = msgspec.structs.replace(
                thing, first_name=rng.choice(("ALEX", "SAM", "KIM")), modified=at
            )
        else:
            return
        store.put(practice, kind, [edited], event=EVENTS[kind])


if __name__ == "__main__":
    main()
