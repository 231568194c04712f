"""The synthetic athena of the sync's tests, for stories."""

from __future__ import annotations

from tests.core.conftest import instance, make_instance
from tests.sync.conftest import athena, no_waiting, synced, synced_once, time, world

__all__ = ["athena", "instance", "make_instance", "no_waiting", "synced", "synced_once", "time", "world"]
