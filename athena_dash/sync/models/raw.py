"""The raw store: every payload as received, kept before anything tries to understand it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class RawSegment(models.Model):
    """What one commit kept of one feed: the payloads end to end, compressed as a whole.

    `processed_version` is null until the facts of all its records are committed; the sweeper takes what a crash left
    behind. An absence (athena has no such record) is a record of no bytes in a segment of none.
    """

    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    resource = models.TextField()
    body = models.BinaryField()  # zstd
    first_id = models.BigIntegerField()  # its records' ids lie in this range, with those of others
    last_id = models.BigIntegerField()
    kept_at = models.DateTimeField()
    run = models.ForeignKey("sync.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    processed_version = models.PositiveIntegerField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [
            # whether anything of a feed was kept since
            models.Index(fields=["practice", "resource", "last_id"], name="segment_newest"),
            models.Index(
                fields=["practice", "id"],
                name="segment_unprocessed",
                condition=models.Q(processed_version__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"segment {self.pk}"


class RawRecord(models.Model):
    """One record of a page, byte for byte: a place in its segment. A row is added only when the content changed.

    `external_id` is "?{hash}" when the payload names no usable id. Without database constraints on its keys: PostgreSQL
    looks every one of them up row by row, at a cost near that of the row itself; Django cascades without them.
    """

    practice = models.ForeignKey(
        "practices.Practice",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    resource = models.TextField()
    external_id = models.TextField()
    parent_id = models.TextField(default="")  # the subject it was asked for: patient, encounter or claim
    # null once somebody has taken the bytes away; digest and metadata stay
    segment = models.ForeignKey(
        RawSegment,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    start = models.PositiveIntegerField(default=0)  # in the segment, uncompressed
    size = models.PositiveIntegerField()  # bytes as received
    digest = models.BinaryField(max_length=32, default=b"")  # SHA-256 of the bytes; empty for an absence
    fetched_at = models.DateTimeField()
    request_id = models.TextField(default="")  # athena's x-request-id

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [
            # newest payload of a record: the comparison of every page
            models.Index(
                fields=["practice", "resource", "external_id", "parent_id", "-id"], name="raw_newest"
            ),
        ]

    def __str__(self) -> str:
        return f"raw {self.pk}"


class Touched(models.Model):
    """Records that a landing changed and whose links and gaps are still to be looked at; the drain deletes the row.

    `table` is a model of records, or "visit" for visits (primary keys as text) whose links are settled and whose gaps
    are not.
    """

    VISIT = "visit"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    table = models.TextField()
    ids = ArrayField(models.TextField())
    # of ids, which PostgreSQL would unpack to count them
    count = models.GeneratedField(
        expression=models.Func("ids", function="cardinality"),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    at = models.DateTimeField()

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    def __str__(self) -> str:
        return f"touched {self.pk}"


class Arrival(models.Model):
    """Rows that one commit kept of a feed, by when athena says they changed; gone once they are visible and counted
    (sync.lag).

    `undated` counts records of a feed that dates its changes whose own stamp does not say when they changed.
    """

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    resource = models.TextField()
    raw_ids = ArrayField(models.BigIntegerField())
    changed_at = ArrayField(models.DateTimeField())  # of each of them
    undated = models.PositiveIntegerField(default=0)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    def __str__(self) -> str:
        return f"arrival {self.pk}"
