"""A practice's own records → the words its policies can speak of: visit types, payers, statuses, insurance types."""

from __future__ import annotations

from django.db.models import Count, Max
from django.db.models.functions import Lower, Trim, Upper

from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from athena_dash.practices.policy_forms import Seen
from athena_dash.records.models import ClaimStatusChange, Department, Insurance, Provider

MOST = 200  # of each kind; rarer ones are not offered


def seen_in(practice: Practice) -> Seen:
    departments = Department.objects.for_practice(practice).values_list("external_id", "name")
    providers = Provider.objects.for_practice(practice).values_list("external_id", "display_name")
    return Seen(
        exclusions={
            "visit_types": common(practice, "visit_type"),
            "departments": [(id, name or f"department {id}") for id, name in departments[:MOST]],
            "providers": [(id, name or f"provider {id}") for id, name in providers[:MOST]],
            "payers": common(practice, "payer_name"),
        },
        statuses=status_words(practice),
        insurance_types=once([*insured_by(practice, "insurance_type"), *insured_by(practice, "payer_name")]),
    )


def common(practice: Practice, column: str) -> list[tuple[str, str]]:
    visits = Visit.objects.for_practice(practice).exclude(**{column: ""})
    counted = visits.values_list(column).annotate(number=Count("pk")).order_by("-number")
    return [(word, word) for word, _ in counted[:MOST]]


def status_words(practice: Practice) -> list[tuple[str, int]]:
    """The words that payer slots stand in now, commonest first, as the status map spells them."""
    standing = ClaimStatusChange.objects.filter(practice=practice, ended_at__isnull=True)
    words = standing.annotate(word=Upper(Trim("status"))).exclude(word="").values_list("word")
    return list(words.annotate(number=Count("pk")).order_by("-number", "word")[:MOST])


def insured_by(practice: Practice, column: str) -> list[tuple[str, int]]:
    """Types or payers as athena writes them; letter case makes no other."""
    words = Insurance.objects.for_practice(practice).annotate(word=Lower(Trim(column)))
    counted = words.exclude(word="").values("word").annotate(said=Max(Trim(column)), number=Count("pk"))
    return list(counted.order_by("-number", "word").values_list("said", "number")[:MOST])


def once(words: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """A payer may be called as its type is."""
    return list({word.casefold(): (word, count) for word, count in reversed(words)}.values())[::-1]
