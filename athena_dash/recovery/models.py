"""Groups of failures by fingerprint, and Replays: a frozen list of failures with what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Verb(models.TextChoices):
    """What a replay does, always named on its button (design/replay.md)."""

    REPROCESS = "reprocess", "Reprocess"  # the stored payload through the current mapping
    REFETCH = "refetch", "Re-fetch"  # a fresh pull by id or window


class GroupState(models.Model):
    """What a person decided about a group of failures in one practice; absent means open."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    fingerprint = models.TextField()
    acknowledged_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True)
    muted_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "fingerprint"], name="one_state_per_group")
        ]

    def __str__(self) -> str:
        return self.fingerprint


class Replay(models.Model):
    """A batch of failures to run again. `key` comes from the form: a double click finds the first one."""

    class State(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"
        DONE = "done"
        CANCELLED = "cancelled"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField(unique=True)
    verb = models.TextField(choices=Verb.choices)
    # the group it replays; empty for a hand-picked list
    fingerprint = models.TextField(default="", blank=True)
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    planned_at = models.DateTimeField()  # members are frozen as of this instant
    finished_at = models.DateTimeField(null=True)
    # a worker is at it until then; past or null: the tick wakes one
    leased_until = models.DateTimeField(null=True)
    state = models.TextField(choices=State.choices, default=State.RUNNING)
    message = models.TextField(default="", blank=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    if TYPE_CHECKING:
        items: RelatedManager[ReplayItem]

    class Meta:
        indexes = [
            models.Index(fields=["practice", "-planned_at"], name="replay_by_practice"),
            models.Index(fields=["leased_until"], name="replay_due", condition=models.Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"replay {self.pk}"


class ReplayItem(models.Model):
    """One failure of a replay and what truly happened to it; never just "processed"."""

    class Outcome(models.TextChoices):
        WAITING = "waiting"
        CONFIRMED = "confirmed"
        ALREADY = "already", "already applied"
        SUPERSEDED = "superseded"
        GONE = "gone"
        FAILED = "failed"
        UNKNOWN = "unknown"

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="items")
    failure = models.ForeignKey("sync.Failure", on_delete=models.CASCADE, related_name="replay_items")
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.WAITING)
    message = models.TextField(default="", blank=True)
    gaps_closed = models.PositiveIntegerField(default=0)
    dollars_closed = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replay", "failure"], name="one_item_per_failure")]
        indexes = [
            models.Index(fields=["replay"], name="replay_item_waiting", condition=models.Q(outcome="waiting"))
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"
