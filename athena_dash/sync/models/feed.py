"""A Feed (practice × resource), its Runs, and the Subjects that athena can only be asked about one at a time."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class Feed(models.Model):
    """PostgreSQL holds what is due: the tick enqueues feeds whose `due_at` has come.

    A worker holds the feed by `lease_token`; every page commit checks that the token is still its own, so a worker
    presumed dead cannot write. `cursor` belongs to the resource (sync.walks) and is of what is new only: history comes
    in by Backfills, and until the first of them is done, `filling_since` says that what is missing may be on its way.
    """

    class Subscription(models.TextChoices):
        NONE = "", "no changed feed"
        MISSING = "missing"
        PENDING = "pending", "subscribed, not yet active"
        ACTIVE = "active"
        PARTIAL = "partial"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="feeds")
    resource = models.TextField()
    due_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    interval = models.DurationField()
    fresh_within = models.DurationField()  # freshness objective: older than this is stale
    cursor = models.JSONField(default=dict)
    subscription = models.TextField(choices=Subscription.choices, default=Subscription.NONE, blank=True)
    subscribed_at = models.DateTimeField(null=True)
    filling_since = models.DateTimeField(null=True)
    listening_since = models.DateTimeField(null=True)  # what athena changes from here on, it tells us of
    # of the changed feed since midnight GMT: {"day", "fed": changes it handed out, "netted": those it should have
    # handed out and only a window brought}
    delivered = models.JSONField(default=dict)
    last_attempt_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)
    # of sampled FHIR payloads: {"checked": n, "findings": {text: n}}
    conformance = models.JSONField(default=dict)
    lease_token = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "resource"], name="one_feed_per_resource")]
        indexes = [
            models.Index(fields=["due_at"], name="feed_due", condition=models.Q(paused_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.practice_id}/{self.resource}"


class CursorMove(models.Model):
    """One move of a feed's cursor, of the marks that moved only. By a run, or by a person who set it back.
    The newest ones are kept (sync.lease)."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="moves")
    at = models.DateTimeField()
    before = models.JSONField()
    after = models.JSONField()
    run = models.ForeignKey("sync.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["feed", "-id"], name="move_by_feed")]

    def __str__(self) -> str:
        return f"move {self.pk}"


class Run(models.Model):
    """One pull of a feed: what it asked, what it got. Counters commit with the page they count."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        LOST = "lost", "lost its lease"

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="runs")
    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    trigger = models.TextField(default="schedule")  # schedule | manual | replay | backfill | ingest
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.RUNNING)
    calls = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    records = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)  # raw payloads that were new or different
    failed = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    rate_limited = models.PositiveIntegerField(default=0)  # 429 answers
    message = models.TextField(default="", blank=True)  # PHI-free

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [models.Index(fields=["feed", "-started_at"], name="run_by_feed")]

    def __str__(self) -> str:
        return f"run {self.pk}"


class Subject(models.Model):
    """One patient, encounter or claim that a feed must ask athena about by id, and when.

    There is no practice-wide list of encounters, insurances, transactions or FHIR facts, so records that arrive make
    their subjects due here; the feed takes the due ones, oldest first.
    """

    # as RawRecord's
    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    resource = models.TextField()
    key = models.TextField()  # athena's id of the patient, encounter or claim
    scope = models.TextField(default="")  # departmentid where the endpoint demands one
    due_at = models.DateTimeField(null=True)  # null: nothing to ask until something changes
    fetched_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "resource", "key", "scope"], name="one_subject_per_key"
            )
        ]
        indexes = [
            models.Index(
                fields=["practice", "resource", "due_at"],
                name="subject_due",
                condition=models.Q(due_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource} subject {self.pk}"
