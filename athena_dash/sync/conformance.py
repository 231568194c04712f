"""Samples FHIR payloads against R4 and keeps what was found on the feed: conformance is watched, never a gate.

Full validation costs about a hundred times the typed projection (integrations.fhir.validate), so a few payloads of a
batch are checked, chosen by their digest: the same batch always has the same ones checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import nsmallest

from athena_dash.sync.models import Feed
from athena_dash.sync.segments import Stored
from athena_dash.sync.source import FHIR_TYPES
from integrations.fhir.validate import validate

SAMPLE = 16  # one payload in so many
MOST = 3  # of a batch
KEPT_FINDINGS = 50  # kinds of finding per feed; a feed with more has been understood long before

Findings = Mapping[str, Sequence[Counter[str]]]
"""Resource → what each checked payload was found to break."""


def check(rows: Sequence[Stored]) -> Findings:
    """Validate the sample."""
    chosen = [row for row in rows if row.resource in FHIR_TYPES and row.digest[0] % SAMPLE == 0]
    findings: dict[str, list[Counter[str]]] = {}
    for row in nsmallest(MOST, chosen, key=lambda row: row.digest):
        found = validate(FHIR_TYPES[row.resource], row.body)
        findings.setdefault(row.resource, []).append(Counter({f"{f.path}: {f.problem}" for f in found}))
    return findings


def add(practice_id: int, findings: Findings) -> None:
    """To the tally of each feed, in the caller's transaction."""
    for resource, found in findings.items():
        feed = Feed.objects.for_practice(practice_id).select_for_update().filter(resource=resource).first()
        if feed is not None:
            tally = sum(found, Counter(feed.conformance.get("findings", {})))
            feed.conformance = {
                "checked": feed.conformance.get("checked", 0) + len(found),
                "findings": dict(tally.most_common(KEPT_FINDINGS)),
            }
            feed.save(update_fields=["conformance"])
