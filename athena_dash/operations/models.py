"""Alerts of a practice: what is wrong since when, whom to tell, and what was told."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.db import models

from athena_dash.core.crypto import EncryptedText
from athena_dash.practices.querysets import PracticeOwned


class AlertRoute(models.Model):
    """Whom a practice's alerts go to. Without one the practice has no alerts."""

    practice = models.OneToOneField(
        "practices.Practice", on_delete=models.CASCADE, related_name="alert_route"
    )
    email = models.EmailField(blank=True, default="")
    webhook_url = models.TextField(blank=True, default="")
    webhook_secret = EncryptedText(null=True, blank=True)
    quiet_from = models.TimeField(null=True, blank=True)  # of the practice's day; both or neither
    quiet_to = models.TimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"alerts of {self.practice_id}"


class Alert(models.Model):
    """One condition from the moment it began to hold until it ended; `key` names it. PHI-free."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    key = models.TextField()  # "credential", "feed:claims", "group:<fingerprint>"
    sentence = models.TextField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "key"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_alert_per_key",
            )
        ]
        indexes = [models.Index(fields=["practice", "-opened_at"], name="alert_by_practice")]

    def __str__(self) -> str:
        return self.key


class AlertMessage(models.Model):
    """Transitions told together by one channel. `due_at` null: sent, or given up after the last attempt."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    channel = models.TextField(choices=Channel.choices)
    message_id = models.UUIDField(default=uuid4, unique=True)  # the same in every attempt
    transitions = models.JSONField()  # [{"type": "opened" | "closed", "key", "sentence", "at"}]
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    problem = models.TextField(default="", blank=True)  # of the last attempt, PHI-free

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="alert_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["practice", "-created_at"], name="alert_message_by_practice"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
