"""One visit's facts → its gaps with verdicts and dollars, its suppressor, its track, and when to look again.
Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache

import msgspec
from msgspec import structs

from athena_dash.correlation.business_time import add_business_hours
from athena_dash.correlation.estimate import Estimate, Learned, estimate
from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.base import NO_GAP, Finding, Rule, Suppressor
from athena_dash.correlation.rules.filed import limit_counts
from athena_dash.correlation.suppressors import suppressor
from athena_dash.correlation.track import track
from athena_dash.correlation.verdict import ANSWER_HOLDS, NOT_SYNCED, Evidence, Judgement, judge
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.filing import filing_limit
from athena_dash.practices.policies import Policies


class FoundGap(msgspec.Struct, frozen=True, kw_only=True):
    """One open gap as it should stand; the store compares it with the row that is there.

    `filing_limit`: the day by which something must reach the payer: the claim, an appeal, the second payer's claim; on
    the primary gap the nearest of them all, since lists show that gap only.
    """

    code: str
    primary: bool
    owner: str
    sentence: str
    estimate: Estimate
    judgement: Judgement
    needs_feed: str
    since: datetime
    due_at: datetime
    filing_limit: date | None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """`as_before`: of the visit itself, its last judging said the same."""

    visit_id: int
    suppressor: str
    track: str
    reconsider_at: datetime | None
    as_before: bool
    gaps: tuple[FoundGap, ...]


def judge_visit(
    visit: VisitFacts,
    policies: Policies,
    evidence: Evidence,
    learned: Learned,
    now: datetime,
) -> Judged:
    suppressed = suppressor(visit, policies)
    kind = suppressed[0] if suppressed else None
    findings = [
        (rule, finding)
        for rule in speaking(visit.status, visit.settled, visit.signed, kind)
        if (finding := rule.find(visit, policies, now)) is not NO_GAP
    ]
    gaps = gaps_of(findings, visit, policies, evidence, learned) if findings else ()
    failed = [gap.code for gap in gaps if gap.judgement.verdict == NOT_SYNCED]
    says = (
        suppressed[1] if suppressed else "",
        track(visit, kind, [gap.code for gap in gaps], failed),
        look_again(findings, gaps) if findings else None,
    )
    return Judged(
        visit_id=visit.id,
        suppressor=says[0],
        track=says[1],
        reconsider_at=says[2],
        as_before=says == visit.said,
        gaps=gaps,
    )


def gaps_of(
    findings: Sequence[tuple[Rule, Finding]],
    visit: VisitFacts,
    policies: Policies,
    evidence: Evidence,
    learned: Learned,
) -> tuple[FoundGap, ...]:
    """The earliest broken link first: it is the primary one."""
    broken = [pair for pair in findings if pair[1].gap]
    if not broken:
        return ()
    limit = to_file_by(visit, policies)
    gaps = tuple(
        [
            found(rule, finding, visit, policies, evidence, learned, limit, primary=place == 0)
            for place, (rule, finding) in enumerate(broken)
        ]
    )
    nearest = min([gap.filing_limit for gap in gaps if gap.filing_limit], default=None)
    if nearest != gaps[0].filing_limit:
        return (structs.replace(gaps[0], filing_limit=nearest), *gaps[1:])
    return gaps


def to_file_by(visit: VisitFacts, policies: Policies) -> date | None:
    if not limit_counts(visit):
        return None
    limit = filing_limit(visit.insurance_type, visit.payer_name, visit.service_date, policies.terms("filing"))
    return limit.on if limit else None


def look_again(findings: Sequence[tuple[Rule, Finding]], gaps: Sequence[FoundGap]) -> datetime | None:
    """athena's word ages out: then the verdict that leans on it must be found anew."""
    turns = [finding.reconsider_at for _, finding in findings if finding.reconsider_at]
    turns += [gap.judgement.asked_at + ANSWER_HOLDS for gap in gaps if gap.judgement.asked_at]
    return min(turns, default=None)


@cache
def speaking(status: str, settled: bool, signed: bool, suppressed: Suppressor | None) -> tuple[Rule, ...]:
    """The rules worth asking, by stage and code: most look at one state of the appointment, at open notes, or at claims
    of which something is still to come, and most visits are past that."""
    asked = (
        rule
        for rule in RULES
        if speaks(rule, suppressed) and can_find(rule, status, settled=settled, signed=signed)
    )
    return tuple(sorted(asked, key=lambda rule: (rule.stage, rule.code)))


def can_find(rule: Rule, status: str, *, settled: bool, signed: bool) -> bool:
    in_state = not rule.only or status in tuple(rule.only)
    return in_state and (rule.of_settled or not settled) and (rule.of_signed or not signed)


def speaks(rule: Rule, suppressed: Suppressor | None) -> bool:
    return suppressed is None or suppressed in rule.despite


def found(
    rule: Rule,
    finding: Finding,
    visit: VisitFacts,
    policies: Policies,
    evidence: Evidence,
    learned: Learned,
    limit: date | None,
    *,
    primary: bool,
) -> FoundGap:
    if finding.since is None or finding.opens_at is None:
        raise ValueError(f"{rule.code} found a gap without saying since when")
    return FoundGap(
        code=rule.code,
        primary=primary,
        owner=finding.owner or policies.owner(rule.code),
        sentence=finding.sentence,
        estimate=finding.estimate or estimate(rule.code, visit, learned, policies.value("show_rate")),
        judgement=judge(rule, visit, evidence),
        needs_feed=rule.needs_feed,
        since=finding.since,
        due_at=add_business_hours(
            finding.opens_at, policies.sla_hours(rule.code), visit.zone, policies.closed_days
        ),
        filing_limit=finding.deadline or limit,
    )
