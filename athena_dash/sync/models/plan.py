"""A Plan: what the planner decided to read again at one instant, and what it put off."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class Plan(models.Model):
    """`lines` are sync.planner.Line as JSON: {kind, due, chosen, put_off, oldest, dollars, calls, why}."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    calls_left = models.IntegerField()  # of the day, when it was made
    allowed = models.IntegerField()  # of them to this plan
    lines = models.JSONField(default=list)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [models.Index(fields=["practice", "-at"], name="plan_newest")]

    def __str__(self) -> str:
        return f"plan {self.pk}"
