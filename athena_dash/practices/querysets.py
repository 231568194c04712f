"""Which practices a user may see, and in which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.practices.models import Practice


class PracticeQuerySet(models.QuerySet["Practice"]):
    def in_role(self, user: User | Any, *roles: str) -> PracticeQuerySet:
        """Practices the user is a member of; superusers are members of nothing and see nothing by default."""
        return self.filter(memberships__user_id=user.pk, memberships__role__in=roles)

    def active(self) -> PracticeQuerySet:
        return self.filter(paused_at__isnull=True)


class PracticeOwned(models.QuerySet[Any]):
    """Rows that carry a practice: every screen, job and command starts from it."""

    def for_practice(self, practice: Practice | int) -> PracticeOwned:
        return self.filter(practice_id=practice if isinstance(practice, int) else practice.pk)
