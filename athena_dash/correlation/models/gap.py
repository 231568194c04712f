"""What a visit lacks, whose it is, and whether it was not billed or not synced."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.correlation.models.base import MONEY, OF_PRACTICE
from athena_dash.correlation.models.visit import Visit
from athena_dash.practices.querysets import PracticeOwned


class Verdict(models.TextChoices):
    NOT_BILLED = "not_billed", "Not billed"
    NOT_SYNCED = "not_synced", "Not synced"
    SUSPECT_SYNC = "suspect_sync", "Suspect sync"
    UNVERIFIED = "unverified", "Unverified"


class Gap(models.Model):
    """Something a visit (or, for an orphan result, a record) lacks. Reopens as the same row; closes when seen
    fixed."""

    practice = models.ForeignKey("practices.Practice", **OF_PRACTICE)
    visit = models.ForeignKey(  # one_gap_per_visit_and_code is its index
        Visit, null=True, on_delete=models.CASCADE, related_name="gaps", db_index=False, db_constraint=False
    )
    # set with record_id when there is no visit: an orphan result (G17)
    record_kind = models.TextField(default="")
    record_id = models.TextField(default="")
    code = models.TextField()  # "G13"
    primary = models.BooleanField(default=False)  # earliest broken link; its dollars count, others are chips
    owner = models.TextField()  # front desk, provider, coder, biller, clinical staff, payer, integration
    sentence = models.TextField()  # "Signed 3 days ago, no charge entered"; no PHI
    at_risk = models.DecimalField(**MONEY, null=True)  # expected dollars
    estimator = models.TextField(default="")  # E1..E6, revenue-cycle.md §2.0
    verdict = models.TextField(choices=Verdict.choices)
    evidence = models.JSONField(default=list)  # [{"signal": "D1", "says": "…"}]; no PHI
    needs_feed = models.TextField(default="")  # the feed whose staleness turns the verdict into suspect sync
    since = models.DateTimeField()  # when the condition began
    due_at = models.DateTimeField(null=True)  # SLA of the owner
    filing_limit = models.DateField(null=True)
    # when athena itself said so, where the verdict rests on it (D4)
    asked_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.TextField(default="")  # data | suppressor | replay | live_read | user
    times_opened = models.PositiveIntegerField(default=1)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "code"], name="one_gap_per_visit_and_code"),
            models.UniqueConstraint(
                fields=["practice", "record_kind", "record_id", "code"],
                condition=models.Q(visit__isnull=True),
                name="one_gap_per_record_and_code",
            ),
            models.UniqueConstraint(
                fields=["visit"],
                condition=models.Q(closed_at__isnull=True, primary=True),
                name="one_open_primary_gap_per_visit",
            ),
        ]
        indexes = [
            models.Index(  # the worklist and its counts
                fields=["practice", "code", "-at_risk", "-id"],
                name="gap_open",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(  # Visits, dearest first
                fields=["practice", "-at_risk", "-id"],
                name="gap_first_by_dollars",
                condition=models.Q(closed_at__isnull=True, primary=True),
            ),
            models.Index(  # what closed since: Today, replays
                fields=["practice", "closed_at"],
                name="gap_closed",
                condition=models.Q(closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} on visit {self.visit_id}"
