"""A practice under evaluation → its claims without an id tied by what its other claims teach, as after a night."""

from __future__ import annotations

from django.db import transaction

from athena_dash.correlation import reweighing
from athena_dash.correlation.service import correlate


def use_own_weights(practice_id: int) -> str:
    """What the claims are now tied by. Too few claims whose visit is known teach nothing."""
    with transaction.atomic():
        learnt = reweighing.learn_weights(practice_id)
        if learnt is None:
            return "shipped"
        reweighing.activate(practice_id, learnt.version)
        correlate(practice_id, {"claim": reweighing.lone_after(practice_id, "", None)})
    return f"learnt from {learnt.pairs} pairs of claims and their visits, and {learnt.others} with others"
