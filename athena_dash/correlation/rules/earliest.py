"""Several findings of one rule on one visit → the one that speaks for the visit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from athena_dash.correlation.rules.base import NO_GAP, Finding

NEVER = datetime.max.replace(tzinfo=UTC)


def earliest(findings: Sequence[Finding]) -> Finding:
    """A gap before no gap, and the oldest first; time is asked again when any of the others could turn."""
    if not findings:
        return NO_GAP
    chosen = min(findings, key=lambda finding: (not finding.gap, finding.opens_at or NEVER))
    if chosen.gap:
        return chosen
    again = min((f.reconsider_at for f in findings if f.reconsider_at), default=None)
    return Finding(since=chosen.since, opens_at=chosen.opens_at, reconsider_at=again)
