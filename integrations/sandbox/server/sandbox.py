"""What all requests of a running sandbox share: the store, the clock, limits, clients, faults, counters."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from integrations.sandbox.server.faults import Switchboard
from integrations.sandbox.server.keyring import Keyring
from integrations.sandbox.server.limits import Windows
from integrations.sandbox.server.presets import PRESETS, Preset
from integrations.sandbox.store import Store


def now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    def __init__(
        self,
        store_path: Path | str,
        *,
        preset: str | Preset = "preview",
        clock: Callable[[], datetime] = now,
        ticks: Callable[[], float] = time.time,
        activation_lag: timedelta | None = None,
        seed: int = 0,
    ) -> None:
        self.store_path = store_path
        self.preset = preset if isinstance(preset, Preset) else PRESETS[preset]
        self.activation_lag = self.preset.activation_lag if activation_lag is None else activation_lag
        self.clock = clock
        self.seed = seed
        self.connections = threading.local()
        self.serials = itertools.count()
        self.windows = Windows(ticks)
        self.keyring = Keyring(self)
        self.faults = Switchboard(self)
        self.counting = threading.Lock()
        self.counted: Counter[tuple[str, str]] = Counter()

    @property
    def store(self) -> Store:
        """This thread's connection: SQLite serialises writers, WAL lets readers through."""
        opened: Store | None = getattr(self.connections, "store", None)
        if opened is None:
            opened = self.connections.store = Store(self.store_path)
        return opened

    def rng(self, *key: object) -> random.Random:
        return random.Random(":".join(map(str, (self.seed, *key))))  # noqa: S311 reproducible, not secret

    def count(self, practice: str, what: str) -> None:
        with self.counting:
            self.counted[practice, what] += 1

    def has_practice(self, practice: str) -> bool:
        sql = "select 1 from thing where practice=? and kind='practice' limit 1"
        return self.store.db.execute(sql, (practice,)).fetchone() is not None
