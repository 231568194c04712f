"""What a practice's own past teaches: weights of agreement, usual payments, days on which much is missing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class Weights(models.Model):
    """What a practice's own linked claims say each level of agreement is worth (learning). Versions are kept, so that
    one can be taken back; 0 and no version at all are the shipped points."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    learnt_at = models.DateTimeField()
    method = models.PositiveSmallIntegerField()  # learning.METHOD by which it was learnt
    known = models.PositiveIntegerField()  # claims whose visit was known then
    pairs = models.PositiveIntegerField()  # of a sampled one with its own visit
    others = models.PositiveIntegerField()  # and with another visit around its day
    points = models.JSONField()  # level → decimal as text, like weights.SHIPPED
    active = models.BooleanField(default=False)
    reached = models.TextField(default="")  # the claims without an id up to here are tied by it
    applied_at = models.DateTimeField(null=True)  # all of them
    applied_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )  # who last made it active; None at the shell

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        ordering = ["practice", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "version"], name="one_weights_version"),
            models.UniqueConstraint(
                fields=["practice"], condition=models.Q(active=True), name="one_active_weights"
            ),
        ]

    def __str__(self) -> str:
        return f"weights {self.version} of {self.practice_id}"


class PaidBefore(models.Model):
    """What a practice is usually paid, as last learned from its own settled claims (learned_sql)."""

    practice = models.OneToOneField(
        "practices.Practice", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    lesson = models.JSONField()
    again_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"what {self.practice_id} is paid"


class Cohorts(models.Model):
    """The department days on which far more than usual is missing, as last found (cohorts, D6)."""

    practice = models.OneToOneField(
        "practices.Practice", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    found = models.JSONField(default=list)
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"cohorts of {self.practice_id}"
