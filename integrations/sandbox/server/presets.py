"""The two real environments as numbers: token calls a minute, calls a second and a day, activation lag.

athena-api.md: section 1 (tokens), 2.0 (rate limits) and 2.1 (subscriptions take effect late).
"""

from __future__ import annotations

from datetime import timedelta

import msgspec


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    tokens_per_minute: int
    calls_per_second: int
    calls_per_day: int
    activation_lag: timedelta
    largest_page: int = 1_000_000  # rows, also where athena documents that more may be asked for


PREVIEW = Preset(
    name="preview",
    tokens_per_minute=5,
    calls_per_second=15,
    calls_per_day=50_000,
    activation_lag=timedelta(minutes=15),
)
PRODUCTION = Preset(
    name="production",
    tokens_per_minute=50,
    calls_per_second=150,
    calls_per_day=500_000,
    activation_lag=timedelta(minutes=5),
)
PRESETS = {preset.name: preset for preset in (PREVIEW, PRODUCTION)}
