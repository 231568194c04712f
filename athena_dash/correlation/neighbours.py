"""Visits → how many visits of the same provider and day were charged (discriminator D8), in one query."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Count, Q

from athena_dash.correlation.models import Visit
from athena_dash.correlation.visit_facts import Neighbours


def neighbours_of(practice_id: int, visits: Iterable[Visit]) -> dict[tuple[str, date], Neighbours]:
    """Counts every visit of that provider and day, the asking one included."""
    days = {(visit.provider_id, visit.service_date) for visit in visits if visit.service_date}
    if not days:
        return {}
    rows = (
        Visit.objects.for_practice(practice_id)
        .filter(provider_id__in={provider for provider, _ in days}, service_date__in={day for _, day in days})
        .filter(suppressor="")
        .values_list("provider_id", "service_date")
        .annotate(visits=Count("pk"), charged=Count("pk", filter=Q(charges__isnull=False)))
    )
    return {
        (provider, day): Neighbours(charged=charged, visits=visits)
        for provider, day, visits, charged in rows
        if (provider, day) in days
    }
