"""A practice, its members and their role, its connection to athena, and the policies it has changed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models

from athena_dash.core.crypto import EncryptedText
from athena_dash.practices.querysets import PracticeQuerySet

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Practice(models.Model):
    """One athena practice = one database over there; every id of theirs is unique only inside it."""

    slug = models.SlugField(unique=True)
    name = models.TextField()
    athena_id = models.TextField(help_text="athena's practiceid, for example 195900")
    timezone = models.TextField(default="America/New_York")
    paused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PracticeQuerySet.as_manager()

    if TYPE_CHECKING:
        memberships: RelatedManager[Membership]
        policies: RelatedManager[Policy]
        policy_versions: RelatedManager[PolicyVersion]
        connection: Connection

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    BILLING = "billing", "Billing"
    SUPPORT = "support", "Support"
    ADMIN = "admin", "Admin"


class Membership(models.Model):
    """A user's role in one practice."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="memberships")
    role = models.TextField(choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "practice"], name="one_role_per_practice")]

    def __str__(self) -> str:
        return f"{self.user} · {self.practice} · {self.role}"


ROTATION_WARNINGS = (14, 7, 1)  # days before a credential must be rotated


class Connection(models.Model):
    """How we reach athena for this practice. The secret is encrypted at rest and never shown again."""

    practice = models.OneToOneField(Practice, on_delete=models.CASCADE, related_name="connection")
    base_url = models.URLField(max_length=500)
    client_id = models.TextField()
    client_secret = EncryptedText()
    scope = models.TextField(default="athena/service/Athenanet.MDP.*")
    calls_per_second = models.PositiveIntegerField(default=15)
    calls_per_day = models.PositiveIntegerField(default=50_000)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_report = models.JSONField(default=list, blank=True)  # [{"step","ok","message"}], PHI-free
    credential_failed_at = models.DateTimeField(null=True, blank=True)
    rotate_by = models.DateField(null=True, blank=True)  # athena tells no expiry: an admin does
    # What others prove themselves with when they push to us; null refuses them.
    push_secret = EncryptedText(null=True, blank=True)  # athena signs its event notifications with it
    push_token = EncryptedText(null=True, blank=True)  # an interface engine sends it as a bearer token

    def __str__(self) -> str:
        return f"{self.practice} at {self.base_url}"

    def rotates_soon(self, today: date) -> bool:
        return self.rotate_by is not None and (self.rotate_by - today).days <= max(ROTATION_WARNINGS)

    @property
    def rotation_sentence(self) -> str:
        return f"The client secret must be replaced by {self.rotate_by:%d %b %Y}." if self.rotate_by else ""


class Policy(models.Model):
    """A value the practice changed from the shipped default (practices.policies.DEFAULTS)."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="policies")
    name = models.TextField()  # dotted: "grace_hours.G13"
    value = models.JSONField()
    set_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "policies"
        constraints = [models.UniqueConstraint(fields=["practice", "name"], name="one_value_per_policy")]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """One saving of policies: who changed what, when. Append-only; going back is a version too."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="policy_versions")
    saved_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField()
    changes = models.JSONField()  # [{"name", "old", "new"}]; null is the shipped default

    class Meta:
        indexes = [models.Index(fields=["practice", "-id"], name="policy_versions")]

    def __str__(self) -> str:
        return f"{self.practice} {self.saved_at:%Y-%m-%d}"
