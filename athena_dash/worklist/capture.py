"""What a visit documents beside what its claims charge, and claims that were voided beside what replaced them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from athena_dash.correlation.service_lines import How, tie_lines
from athena_dash.practices.statuses import ClaimStage, meaning
from athena_dash.records.models import ChargeLine, Claim, ServiceLine
from athena_dash.worklist.visit_records import VisitRecords

SETTLED = (ClaimStage.CLOSED, ClaimStage.NONE)


@dataclass(frozen=True)
class Captured:
    """One row, either side of which may be missing. `tone` and `word` as core's badge shows them."""

    service: ServiceLine | None
    line: ChargeLine | None
    tone: str
    word: str


WORDS = {
    How.CODE: ("good", "charged"),
    How.LEVEL: ("wait", "charged at another level"),
    How.UNCLEAR: ("wait", "unclear which line charges it"),
    How.MISSING: ("bad", "on no claim"),
    How.UNDOCUMENTED: ("wait", "not documented here"),
}
NOT_TO_BILL = ("", "not marked to bill")
NO_CLAIM = ("", "no claim yet")


@dataclass(frozen=True)
class Voided:
    """A claim that was taken back, and the next live claim of the same visit, if one was made."""

    claim: Claim
    replaced_by: Claim | None
    why: str


def captured(records: VisitRecords) -> list[Captured]:
    """Services whose Bill? is unchecked are tied last, so that they take no line from one that is to be billed."""
    void = {claim.external_id for claim in records.claims if why_void(claim, records)}
    services = [service for service in records.services if service.gone_at is None]
    live = [claim for claim in records.claims if claim.external_id not in void]
    lines = [line for line in records.lines if line.gone_at is None and line.claim_id not in void]
    ordered = sorted(services, key=lambda service: not service.bill_for_service)
    rows = []
    for tie in tie_lines(ordered, lines):
        tone, word = WORDS[tie.how]
        if tie.service and not tie.line:
            if not tie.service.bill_for_service:
                tone, word = NOT_TO_BILL
            elif not live:
                tone, word = NO_CLAIM
        rows.append(Captured(tie.service, tie.line, tone, word))
    return rows


def voided(records: VisitRecords) -> list[Voided]:
    """v1 names no successor (athena-api.md §2.2): what can be seen is that the old claim is gone or nets to zero, and
    that another was made for the visit since. The next one made replaces it; of several made that day, none is named.
    """
    chain = []
    for claim in records.claims:
        if not (words := why_void(claim, records)):
            continue
        day = void_day(claim, records)
        since = [
            (other.created_date, other)
            for other in records.claims
            if other.pk != claim.pk and day and other.created_date and other.created_date >= day
        ]
        first = min((made for made, _ in since), default=None)
        next_ones = [other for made, other in since if made == first]
        chain.append(Voided(claim, next_ones[0] if len(next_ones) == 1 else None, words))
    return chain


def void_day(claim: Claim, records: VisitRecords) -> dt.date | None:
    """When it was taken back, at the earliest; nothing made before that can be in its place."""
    reversals = [
        line.posted_on
        for line in records.lines
        if line.claim_id == claim.external_id and line.posted_on and line.amount and line.amount < 0
    ]
    return max(reversals, default=None) or claim.created_date


def why_void(claim: Claim, records: VisitRecords) -> str:
    """How we know; empty while it stands."""
    if claim.gone_at is not None:
        return "athena has it no more"
    amounts = [
        line.amount or Decimal(0)
        for line in records.lines
        if line.claim_id == claim.external_id and line.gone_at is None
    ]
    words = (claim.primary_status, claim.secondary_status, claim.patient_status)
    settled = all(meaning(word, records.policies.claim_statuses).stage in SETTLED for word in words)
    return "its lines net to zero" if settled and any(amounts) and sum(amounts) == 0 else ""
