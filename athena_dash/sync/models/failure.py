"""A Failure: one row per (stage, subject), with its reason and every attempt made on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Stage(models.TextChoices):
    PULL = "pull"
    NORMALISE = "normalise"
    UPSERT = "upsert"
    CORRELATE = "correlate"
    GAPS = "gaps"


class Reason(models.TextChoices):
    TRANSIENT = "transient", "athena did not answer properly"
    RATE_LIMITED = "rate_limited", "athena asked us to slow down"
    AUTH = "auth", "athena refused the credential"
    CONFIG = "config", "the connection is set up wrongly"
    INVALID = "invalid", "the record breaks athena's contract"
    UNMAPPED = "unmapped", "the record uses a code we do not know"
    CONFLICT = "conflict", "two changes met"
    GONE = "gone", "athena no longer has it"
    UNKNOWN_OUTCOME = "unknown_outcome", "sent, but no answer came"
    BUG = "bug", "our own fault"


class Failure(models.Model):
    """Created outside the transaction that failed. `next_try_at` null and `resolved_at` null = needs a person.

    Subject: `subject_kind` raw → subject_id is a RawRecord pk; feed → a page or window of the feed; subject → a
    Subject pk; chunk → a BackfillChunk pk; visit → a Visit pk; audit → "kind/window" or "kind/record id" (sync.audit).
    Record ids (`record_kind`, `record_id`, `patient_id`, `appointment_id`) are copied from the payload where readable,
    so that the judge can say "we failed on exactly this visit" (D1).
    """

    class SubjectKind(models.TextChoices):
        FEED = "feed"
        SUBJECT = "subject"
        RAW = "raw"
        VISIT = "visit"
        AUDIT = "audit"
        CHUNK = "chunk"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    feed = models.ForeignKey("sync.Feed", null=True, on_delete=models.CASCADE, related_name="failures")
    stage = models.TextField(choices=Stage.choices)
    subject_kind = models.TextField(choices=SubjectKind.choices)
    subject_id = models.TextField()
    record_kind = models.TextField(default="", blank=True)
    record_id = models.TextField(default="", blank=True)
    patient_id = models.TextField(default="", blank=True)
    appointment_id = models.TextField(default="", blank=True)
    reason = models.TextField(choices=Reason.choices)
    code = models.TextField(default="", blank=True)  # error class or HTTP status
    field = models.TextField(default="", blank=True)  # failing field path
    message = models.TextField()  # PHI-free, says what to do
    fingerprint = models.TextField()  # "v1:" + digest of stage, resource, reason, code, masked message, field
    attempts = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    claim_token = models.BigIntegerField(default=0)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.TextField(default="", blank=True)  # retried | replayed | superseded | gone

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    if TYPE_CHECKING:
        tries: RelatedManager[Attempt]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "stage", "subject_kind", "subject_id"],
                condition=models.Q(resolved_at__isnull=True),
                name="one_open_failure_per_stage_and_subject",
            )
        ]
        indexes = [
            models.Index(fields=["fingerprint", "-last_seen"], name="failure_group"),
            models.Index(
                fields=["practice", "-last_seen"],
                name="failure_open",
                condition=models.Q(resolved_at__isnull=True),
            ),
            models.Index(
                fields=["next_try_at"], name="failure_due", condition=models.Q(resolved_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"failure {self.pk}"


class Attempt(models.Model):
    """Append-only: one try at a failure, by whom, and what came of it. No payload, no PHI."""

    failure = models.ForeignKey(Failure, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    trigger = models.TextField()  # auto | replay | sync
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.TextField(default="", blank=True)  # refetch | reprocess
    outcome = models.TextField()  # failed | confirmed | superseded | gone
    message = models.TextField(default="", blank=True)
    request_id = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"attempt {self.pk}"
