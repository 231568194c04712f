"""The raw store: every payload as received, kept before anything tries to understand it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.practices.querysets import PracticeOwned


class RawRecord(models.Model):
    """One record of a page, byte for byte, compressed. A row is added only when the content hash changed.

    `processed_version` is null until the facts, links and gaps of this payload are committed; the sweeper takes what
    a crash left behind. `external_id` is "?{hash}" when the payload names no usable id.
    """

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    resource = models.TextField()
    external_id = models.TextField()
    parent_id = models.TextField(default="")  # the subject it was asked for: patient, encounter or claim
    body = models.BinaryField()  # zlib
    hash = models.BinaryField(
        max_length=32
    )  # SHA-256 of the canonical form: keys sorted, volatile fields left out
    size = models.PositiveIntegerField()  # bytes as received
    fetched_at = models.DateTimeField()
    request_id = models.TextField(default="")  # athena's x-request-id
    run = models.ForeignKey("sync.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    processed_version = models.PositiveIntegerField(null=True)
    purged_at = models.DateTimeField(null=True)  # body emptied by retention; hash and metadata stay

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        indexes = [
            # newest payload of a record: the comparison of every page
            models.Index(
                fields=["practice", "resource", "external_id", "parent_id", "-id"], name="raw_newest"
            ),
            models.Index(  # the sweeper
                fields=["practice", "id"],
                name="raw_unprocessed",
                condition=models.Q(processed_version__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"raw {self.pk}"
