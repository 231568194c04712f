"""Two visits that turned out to be one → one, with everything people and rules attached to either."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from athena_dash.correlation.models import Visit


def absorb(visit_id: int, into_id: int) -> None:
    """Move whatever refers to the visit, then delete it. What the other already has (its own gap of the same
    code) stays as the other has it. Rare: an encounter was known by itself before its appointment's visit
    named it."""
    for relation in Visit._meta.related_objects:
        column = relation.field.name
        for row in relation.related_model._base_manager.filter(**{column: visit_id}):
            setattr(row, f"{column}_id", into_id)
            try:
                with transaction.atomic():
                    row.save(update_fields=[column])
            except IntegrityError:
                row.delete()
    Visit.objects.filter(pk=visit_id).delete()
