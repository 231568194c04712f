"""A user, and one row for each time somebody looked at protected health information."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Signs in by username; what they may do is decided per practice by their membership."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class PhiAccess(models.Model):
    """HIPAA audit trail (45 CFR 164.312(b)): who saw what of which practice, when, and how. Append-only."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    practice_id = models.BigIntegerField()
    action = models.TextField()  # "reveal patient", "view raw payload", "export visits"
    subject = models.TextField()  # our own row ids only, e.g. "visit 120"
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["practice_id", "-at"], name="phi_access_by_practice")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
