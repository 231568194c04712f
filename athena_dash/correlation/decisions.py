"""A person's word about one record → its link, and a row of the audit.

Runs inside the caller's transaction, under the practice's lock; the caller relates the record afterwards. What a
person decided no rule overwrites (`matching_sql.WRITE_LINKS`); undoing hands the record back to the rules.
"""

from __future__ import annotations

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.correlation.models import Decision, Link, Visit

TABLES = {
    Link.Kind.ENCOUNTER: "encounter",
    Link.Kind.CLAIM: "claim",
    Link.Kind.CLINICAL: "clinicalfact",
}


class Settled(Exception):
    """Somebody has decided meanwhile, or has undone it: what was on the screen is no longer so."""


def may_decide(link: Link) -> bool:
    """A visit's own encounter is what the visit is; there is nothing to decide."""
    return link.method != Link.Method.ANCHOR


def tie(link_id: int, visit: Visit, user: User) -> Link:
    link = _open(link_id)
    _note(link, Decision.Verb.TIE, visit, user)
    link.visit, link.state, link.score = visit, Link.State.LINKED, 1.0
    return _settle(link, user)


def leave(link_id: int, user: User) -> Link:
    """It belongs to none of our visits: it stays in sight as unmatched, and is not asked about again."""
    link = _open(link_id)
    _note(link, Decision.Verb.NONE, None, user)
    link.visit, link.state, link.score = None, Link.State.UNMATCHED, 0.0
    return _settle(link, user)


def undo(link_id: int, user: User) -> Link:
    """The place stays as it is until the rules, which may touch it again, are asked: so the visit it leaves is
    known to them."""
    link: Link = Link.objects.select_for_update().get(pk=link_id)
    if link.method != Link.Method.MANUAL:
        raise Settled
    _note(link, Decision.Verb.UNDO, link.visit, user)
    link.method, link.decided_by = Link.Method.NONE, None
    link.save(update_fields=["method", "decided_by"])
    return link


def touched(link: Link) -> dict[str, set[str]]:
    return {TABLES[Link.Kind(link.kind)]: {link.record_id}}


def concerned(link: Link) -> set[int]:
    """Visits whose verdict mentions this record while its link is in review, and the one it is tied to."""
    named = {candidate.get("visit_id") for candidate in link.evidence.get("candidates", ())}
    known = Visit.objects.for_practice(link.practice_id).filter(pk__in={*named, link.visit_id} - {None})
    return set(known.values_list("pk", flat=True))


def _open(link_id: int) -> Link:
    link: Link = Link.objects.select_for_update().get(pk=link_id)
    if link.method == Link.Method.MANUAL or not may_decide(link):
        raise Settled
    return link


def _settle(link: Link, user: User) -> Link:
    link.method, link.decided_by, link.linked_at = Link.Method.MANUAL, user, clock.now()
    link.save(update_fields=["visit", "state", "score", "method", "decided_by", "linked_at"])
    return link


def _note(link: Link, verb: str, visit: Visit | None, user: User) -> None:
    Decision.objects.create(
        practice_id=link.practice_id,
        kind=link.kind,
        record_id=link.record_id,
        verb=verb,
        visit=visit,
        was_state=link.state,
        was_method=link.method,
        was_visit_id=link.visit_id,
        user=user,
        at=clock.now(),
    )
