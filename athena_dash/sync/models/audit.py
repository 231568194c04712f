"""An Audit: what athena says there is in one window, what of it was here, what was brought in, what is missing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class Audit(models.Model):
    """`theirs` = `ours` + `healed` + missing; missing are the ids of `missing`, and what athena counted and never
    listed (`unnamed`). A row without `finished_at` is running, or its worker was killed."""

    RECENT = "recent"

    class Kind(models.TextChoices):
        """Named as the feed that brings them."""

        APPOINTMENTS = "appointments", "appointments"
        CLAIMS = "claims", "claims"
        ENCOUNTERS = "encounters", "encounters"
        CHARGES = "transactions", "charge lines"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    kind = models.TextField(choices=Kind.choices)
    window = models.TextField()  # RECENT, or the Monday of an older week
    first_day = models.DateField()
    last_day = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    theirs = models.PositiveIntegerField(default=0)
    ours = models.PositiveIntegerField(default=0)  # of theirs, those we held when athena named them
    healed = models.PositiveIntegerField(default=0)
    unnamed = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)  # ours, but athena has them no more: marked so
    missing = models.JSONField(default=list)  # ids; ids are not names
    drift = models.JSONField(default=dict)  # {"departmentid yyyy-mm-dd": how many were not here}
    calls = models.PositiveIntegerField(default=0)
    problem = models.TextField(default="", blank=True)  # PHI-free; the figures are then not to be used

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [models.Index(fields=["practice", "kind", "-started_at"], name="audit_newest")]

    def __str__(self) -> str:
        return f"audit {self.pk}"
