"""What people add to a visit: who works it, their notes, and a snooze with the condition that ends it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class WorkItem(models.Model):
    """A visit's place on somebody's desk."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    visit = models.OneToOneField("correlation.Visit", on_delete=models.CASCADE, related_name="work")
    assignee = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    snooze_reason = models.TextField(default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    def __str__(self) -> str:
        return f"work on visit {self.visit_id}"


class Note(models.Model):
    """A remark on a visit; may hold PHI, so it is shown only on the visit and never logged."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    visit = models.ForeignKey("correlation.Visit", on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"note {self.pk}"
