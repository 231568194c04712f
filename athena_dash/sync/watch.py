"""Every call that was made → the breaker, the quota, the meters, the call log and the run's tally."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import redis
from redis import RedisError

from athena_dash.sync import call_log, meters, quota
from athena_dash.sync.breaker import Breaker
from athena_dash.sync.budget import SharedBudget
from athena_dash.sync.tally import Tally
from integrations.athena.calls import CallRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """A connector CallObserver for one practice and what is called for; one round trip to Redis a call."""

    practice_id: int
    feed: str
    budget: SharedBudget
    breaker: Breaker
    client: redis.Redis
    tally: Tally

    def on_call(self, record: CallRecord) -> None:
        """Never raises: the answer is there, and a changed feed would not give it a second time."""
        self.tally.on_call(record)
        share = self.budget.share.value
        try:
            pipeline = self.client.pipeline(transaction=False)
            quota.hear(record, self.budget.key, pipeline)
            meters.count(record, (self.practice_id, self.feed), share, pipeline)
            call_log.add(record, self.practice_id, self.feed, share, pipeline)
            self.breaker.settle(record, pipeline)
            pipeline.execute()
        except RedisError:
            log.warning("a call could not be counted", extra={"endpoint": record.endpoint})
