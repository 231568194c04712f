"""The synthetic athena of the sync's tests, for stories."""

from __future__ import annotations

from tests.sync.conftest import athena, no_waiting, time, world

__all__ = ["athena", "no_waiting", "time", "world"]
