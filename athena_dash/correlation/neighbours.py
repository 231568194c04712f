"""Visits → how many visits around each were charged (discriminator D8): same department, within three days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Count, Q

from athena_dash.correlation.models import Visit
from athena_dash.correlation.visit_facts import Neighbours

AROUND = timedelta(days=3)


def neighbours_of(practice_id: int, visits: Iterable[Visit]) -> dict[tuple[str, date], Neighbours]:
    """By (department, day), in one query of daily counts. Visits that expect no claim are not counted."""
    days = {(visit.department_id, visit.service_date) for visit in visits if visit.service_date}
    if not days:
        return {}
    rows = (
        Visit.objects.for_practice(practice_id)
        .filter(
            department_id__in={department for department, _ in days},
            service_date__range=(min(day for _, day in days) - AROUND, max(day for _, day in days) + AROUND),
            anchor=Visit.Anchor.APPOINTMENT,
            suppressor="",
        )
        .values_list("department_id", "service_date")
        .annotate(visits=Count("pk"), charged=Count("pk", filter=Q(charges__isnull=False)))
    )
    daily = {(department, day): (visits, charged) for department, day, visits, charged in rows}
    return {(department, day): around(department, day, daily) for department, day in days}


def around(department: str, day: date, daily: dict[tuple[str, date], tuple[int, int]]) -> Neighbours:
    near = [
        daily.get((department, day + timedelta(days=offset)), (0, 0))
        for offset in range(-AROUND.days, AROUND.days + 1)
    ]
    return Neighbours(visits=sum(visits for visits, _ in near), charged=sum(charged for _, charged in near))
