"""The one module of operations that knows the queue: the tick looks for changes, a worker tells of them."""

from __future__ import annotations

from athena_dash.core import clock
from athena_dash.core.queue import wake
from athena_dash.operations.alerts import sending, transitions
from athena_dash.operations.models import AlertMessage


def enqueue_due() -> int:
    """Called by the tick: how many jobs it made. Looking is a few queries, so it is done here."""
    transitions.evaluate()
    due = AlertMessage.objects.filter(due_at__lte=clock.now()).exists()
    return int(due and wake("live", send_alerts))


def send_alerts() -> None:
    sending.send_due()
