"""A LiveRead: somebody, or the night, asked athena about exactly one visit, and what it said. The audit of asking."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class LiveRead(models.Model):
    """Waits until a worker takes it; PostgreSQL, not the queue, knows what waits. Kept for good.

    `started_at` is the instant of the question and the token of the worker that asks it: who comes back after it was
    taken from them writes nothing.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    class Trigger(models.TextChoices):
        PERSON = "person"
        NIGHT = "night"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    visit = models.ForeignKey("correlation.Visit", on_delete=models.CASCADE, related_name="live_reads")
    trigger = models.TextField(choices=Trigger.choices)
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.TextField(choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    asked = models.PositiveIntegerField(default=0)  # questions so far
    planned = models.PositiveIntegerField(default=0)  # questions known so far
    answered = models.JSONField(default=list)  # kinds of record that athena answered for in full
    changed = models.PositiveIntegerField(default=0)  # payloads that were new or different
    gaps_closed = models.PositiveIntegerField(default=0)
    message = models.TextField(default="", blank=True)  # why it failed; PHI-free

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["visit", "-created_at"], name="live_read_of_visit"),
            models.Index(  # what is to be asked
                fields=["practice", "created_at"],
                name="live_read_open",
                condition=models.Q(finished_at__isnull=True),
            ),
            models.Index(  # what the judge may still lean on
                fields=["practice", "started_at"],
                name="live_read_answers",
                condition=models.Q(state="done"),
            ),
        ]

    def __str__(self) -> str:
        return f"live read {self.pk}"
