"""A Backfill: days of one feed's past to bring in, cut into chunks that never touch the feed's own cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Backfill(models.Model):
    """Days are those its resource's windows are cut by (service or creation), both included. From `compared_from` on,
    what it brought has been compared with athena's own list (sync.backfill_audit)."""

    class State(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"
        DONE = "done"
        CANCELLED = "cancelled"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    feed = models.ForeignKey("sync.Feed", on_delete=models.CASCADE, related_name="backfills")
    first = models.DateField()
    last = models.DateField()
    state = models.TextField(choices=State.choices, default=State.RUNNING)
    asked_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    compared_from = models.DateField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    if TYPE_CHECKING:
        chunks: RelatedManager[BackfillChunk]

    class Meta:
        indexes = [models.Index(fields=["feed", "-asked_at"], name="backfill_by_feed")]

    def __str__(self) -> str:
        return f"backfill {self.pk}"


class BackfillChunk(models.Model):
    """One window of it, both days included. Held by `lease_token` as a feed is. No `due_at`: done or cancelled."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, related_name="chunks")
    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    first = models.DateField()
    last = models.DateField()
    state = models.TextField(choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    records = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # the last one
    run = models.ForeignKey("sync.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    lease_token = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["backfill", "first"], name="one_chunk_per_first_day")]
        indexes = [
            models.Index(fields=["due_at"], name="chunk_due", condition=models.Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"chunk {self.pk}"
