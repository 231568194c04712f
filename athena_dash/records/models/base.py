"""What every record carries: whose it is, what the source calls it, which raw payload said so, and when."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class Record(models.Model):
    """A row of the source system.

    Ids of the source are text and are not foreign keys: records arrive in any order and may never arrive.
    `fetched_at` is the instant of the newest payload applied; an older payload is never applied over it.
    """

    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )  # every index begins with it; one of it alone only leads the planner astray in a new practice. Without a
    # constraint, as sync.RawRecord: PostgreSQL would look the practice up for each row; Django cascades without it
    external_id = models.TextField()
    raw_id = models.BigIntegerField(
        null=True
    )  # sync.RawRecord; not a foreign key: this row outlives that one
    fetched_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)  # the source answered 404 for it

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.external_id}"


def natural_key(name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=["practice", "external_id"], name=name)
