"""A practice's own records → the words its policies can speak of: visit types, payers, statuses, insurance types."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count, Max
from django.db.models.functions import Lower, Trim, Upper

from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from athena_dash.practices.policy_forms import Seen
from athena_dash.records.facts import SLOTS
from athena_dash.records.models import Claim, Department, Insurance, Provider

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
    found: Counter[str] = Counter()
    for slot in SLOTS:
        words = Claim.objects.for_practice(practice).annotate(word=Upper(Trim(f"{slot}_status")))
        counted = words.exclude(word="").values_list("word").annotate(number=Count("pk"))
        found.update(dict(counted))
    return sorted(found.items(), key=lambda told: (-told[1], told[0]))[:MOST]


def insured_by(practice: Practice, column: str) -> list[tuple[str, int]]:
    """Types or payers as athena writes them; letter case makes no other."""
    words = Insurance.objects.for_practice(practice).annotate(word=Lower(Trim(column)))
    counted = words.exclude(word="").values("word").annotate(said=Max(Trim(column)), number=Count("pk"))
    return list(counted.order_by("-number", "word").values_list("said", "number")[:MOST])


def once(words: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """A payer may be called as its type is."""
    return list({word.casefold(): (word, count) for word, count in reversed(words)}.values())[::-1]
