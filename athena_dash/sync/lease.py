"""A worker's hold on a feed, with a fencing token: whoever lost the lease can no longer commit a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q

from athena_dash.core import clock
from athena_dash.sync.models import Feed

LENGTH = timedelta(minutes=2)  # longer than the longest call with its retries; every page renews it


class LeaseLost(Exception):
    """Another worker holds the feed now; what this one fetched since must not be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    feed_id: int
    token: int

    def hold(self) -> Feed:
        """Lock the feed's row for this transaction and renew the lease, or raise LeaseLost."""
        feed: Feed | None = (
            Feed.objects.select_for_update().filter(pk=self.feed_id, lease_token=self.token).first()
        )
        if feed is None:
            raise LeaseLost
        feed.lease_until = clock.now() + LENGTH
        return feed

    def release(self) -> None:
        Feed.objects.filter(pk=self.feed_id, lease_token=self.token).update(lease_until=None)


def take(feed_id: int) -> Lease | None:
    """The lease of a free feed, or None while another worker holds it."""
    now = clock.now()
    free = Feed.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=feed_id)
    if not free.update(lease_token=F("lease_token") + 1, lease_until=now + LENGTH):
        return None
    return Lease(feed_id, Feed.objects.values_list("lease_token", flat=True).get(pk=feed_id))
