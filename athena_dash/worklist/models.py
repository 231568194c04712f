"""What people add to a visit: who works it, their notes, what they did about it, and until when it sleeps."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class WorkItem(models.Model):
    """A visit's place on somebody's desk. It sleeps until `snoozed_until`; with `worked_at` it was worked then, and
    sleeps only as long as no other gap opens (worklist.asleep)."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    visit = models.OneToOneField("correlation.Visit", on_delete=models.CASCADE, related_name="work")
    assignee = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    snooze_reason = models.TextField(default="", blank=True)
    worked_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    def __str__(self) -> str:
        return f"work on visit {self.visit_id}"


class Worked(models.Model):
    """Somebody did something about a visit's gaps and waits for athena to show it. Append-only: whether it was fixed
    is read from the gaps, never written here. May hold PHI, like a note."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    visit = models.ForeignKey("correlation.Visit", on_delete=models.CASCADE, related_name="worked")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    what = models.TextField()
    codes = models.JSONField()  # of the gaps open then
    returns_at = models.DateTimeField()

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"worked {self.pk}"


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
