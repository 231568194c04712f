"""The faults of an evaluation with `--faults`: what a bad week looks like, bounded so that a run ends."""

from __future__ import annotations

import httpx

FAULTS: tuple[dict[str, object], ...] = (
    {"name": "gateway", "kind": "server_error", "probability": 0.01, "times": 20},
    {"name": "busy", "kind": "rate_limited", "probability": 0.005, "times": 10, "params": {"retry_after": 1}},
    {"name": "spoiled", "kind": "corrupt_record", "probability": 0.01, "times": 30},
    {"name": "code", "kind": "unknown_code", "probability": 0.01, "times": 20},
)


def switch_on(url: str) -> None:
    with httpx.Client(base_url=url, timeout=10) as client:
        for fault in FAULTS:
            client.post("/_sandbox/faults", json=fault).raise_for_status()
