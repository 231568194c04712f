"""Samples FHIR payloads against R4 and keeps what was found on the feed: conformance is watched, never a gate.

Full validation costs about a hundred times the typed projection (integrations.fhir.validate), so one payload in
SAMPLE is checked, chosen by its hash: the same payload is always in or always out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from athena_dash.sync import raw
from athena_dash.sync.models import Feed, RawRecord
from athena_dash.sync.source import FHIR_TYPES
from integrations.fhir.validate import validate

SAMPLE = 16
KEPT_FINDINGS = 50  # kinds of finding per feed; a feed with more has been understood long before


def sample(practice_id: int, rows: Iterable[RawRecord]) -> None:
    """Check the sampled rows and add to their feed's tally, in the caller's transaction."""
    checked: Counter[str] = Counter()
    findings: dict[str, Counter[str]] = {}
    for row in rows:
        if row.resource in FHIR_TYPES and bytes(row.hash)[0] % SAMPLE == 0:
            checked[row.resource] += 1
            found = validate(FHIR_TYPES[row.resource], raw.read(row))
            findings.setdefault(row.resource, Counter()).update({f"{f.path}: {f.problem}" for f in found})
    for resource, count in checked.items():
        add(practice_id, resource, count, findings[resource])


def add(practice_id: int, resource: str, checked: int, found: Counter[str]) -> None:
    feed = Feed.objects.for_practice(practice_id).select_for_update().filter(resource=resource).first()
    if feed is not None:
        tally = Counter(feed.conformance.get("findings", {})) + found
        feed.conformance = {
            "checked": feed.conformance.get("checked", 0) + checked,
            "findings": dict(tally.most_common(KEPT_FINDINGS)),
        }
        feed.save(update_fields=["conformance"])
