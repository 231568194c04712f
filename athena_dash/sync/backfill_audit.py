"""Did a practice's first load bring all that athena has? Its days are audited as soon as they are in, newest first.

Otherwise an absence would be believed only week by week, as the nights come to it. How far it has come stands in the
Backfill: killed, it goes on with the batch it was at, and audits repeat without a trace.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import chain, count, islice, takewhile

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync import audit, live_plan
from athena_dash.sync.models import Audit, Backfill
from athena_dash.sync.walks import DAY

AT_A_TIME = 10  # windows of one job
PATIENCE = timedelta(hours=1)  # after an audit that came to no figure


def waiting() -> QuerySet[Backfill]:
    """The loads that are through and not compared to their first day. A later one over the same days re-reads what has
    been compared: it is left to the nights."""
    earlier = Backfill.objects.filter(
        feed=OuterRef("feed"), state=Backfill.State.DONE, pk__lt=OuterRef("pk"), first__lte=OuterRef("first")
    )
    found: QuerySet[Backfill] = Backfill.objects.filter(
        Q(compared_from=None) | Q(compared_from__gt=F("first")),
        ~Exists(earlier),
        state=Backfill.State.DONE,
        feed__paused_at=None,
        feed__resource__in=Audit.Kind.values,
    )
    return found.order_by("pk")


def due() -> list[int]:
    """Practices with such a load, unless athena could not be asked a moment ago."""
    active = Practice.objects.active().filter(connection__isnull=False, pk__in=waiting().values("practice"))
    ids = set(active.values_list("pk", flat=True))
    tried = Audit.objects.filter(practice__in=ids, started_at__gt=clock.now() - PATIENCE)
    return sorted(ids - set(tried.exclude(problem="").values_list("practice_id", flat=True)))


def take_next(practice: Practice) -> bool:
    """Audit the next windows of a load; whether there are more. What was doubtful is judged anew after the last."""
    backfill = waiting().filter(practice=practice).first()
    if backfill is None:
        return False
    windows = windows_of(backfill, audit.today_at(practice))
    rows = audit.begin(practice, [Audit.Kind(backfill.feed.resource)], windows)
    audit.run(practice, rows)
    compared = [row.first_day for row in takewhile(lambda row: not row.problem, rows)]
    if not compared and windows:
        return False  # athena cannot be asked, or another audit is at it: the tick comes back
    Backfill.objects.filter(pk=backfill.pk).update(compared_from=min(compared, default=backfill.first))
    if waiting().filter(practice=practice).exists():
        return True
    live_plan.weigh(practice.pk)
    return False


def windows_of(backfill: Backfill, today: date) -> list[audit.Window]:
    """The next of them, going back: the recent days, then week by week, cut where the load begins."""
    recent = audit.recent(today)
    if backfill.compared_from is not None:
        begun, last = [], backfill.compared_from - DAY
    elif backfill.last >= recent.first:
        begun, last = [recent], recent.first - DAY
    else:
        begun, last = [], backfill.last
    mondays = (last - timedelta(days=last.weekday(), weeks=back) for back in count())
    weeks = takewhile(lambda week: week.last >= backfill.first, map(audit.week, mondays))
    cut = (audit.Window(one.name, max(one.first, backfill.first), min(one.last, last)) for one in weeks)
    return list(islice(chain(begun, cut), AT_A_TIME))
