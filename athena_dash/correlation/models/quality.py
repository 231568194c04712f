"""How well a practice's records are tied: counted by the day, and measured by hiding what is known."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.correlation.models.link import Link
from athena_dash.practices.querysets import PracticeOwned


class LinkQuality(models.Model):
    """How a practice's links of one kind stood when they were last counted on that day (quality)."""

    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()  # in the practice's zone
    kind = models.TextField(choices=Link.Kind.choices)
    linked = models.PositiveIntegerField(default=0)
    review = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    unmatched = models.PositiveIntegerField(default=0)
    methods = models.JSONField(default=dict)  # of the linked ones: {"id": 12}
    merged = models.PositiveIntegerField(default=0)  # linked ones that name a patient since merged away
    counted_at = models.DateTimeField()

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "day", "kind"], name="one_link_quality_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.kind} links of {self.practice_id} on {self.day}"


class LinkMeasure(models.Model):
    """One hide-and-compare of a practice's links of one kind: how far it is, and what came of it.

    Made batch by batch, each kept with its place in the sample, so that a worker killed between two loses none.
    """

    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.TextField(choices=Link.Kind.choices)
    size = models.PositiveIntegerField()  # records to hide; a small practice has fewer
    after = models.TextField(default="")  # place of the last record compared
    right = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    abstained = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list)  # of the wrong ones: {"record_id": "…", "visit": 1, "found": 2}
    asked_by = models.ForeignKey(  # nobody: the night
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField()
    again_at = models.DateTimeField(null=True)  # a batch failed: the next try is not before then
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "kind"],
                condition=models.Q(finished_at__isnull=True),
                name="one_link_measure_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["practice", "kind", "-asked_at"], name="link_measure_newest")]

    def __str__(self) -> str:
        return f"measure {self.pk} of {self.kind} links"

    @property
    def done(self) -> int:
        return self.right + self.wrong + self.abstained
