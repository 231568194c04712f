"""Packages newly said → claims with their codes wait to be related again, which covers visits or frees them."""

from __future__ import annotations

from collections.abc import Iterable

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.practices.packages import table_of
from athena_dash.practices.versions import Change
from athena_dash.records.models import Claim
from athena_dash.sync import waiting


def relate_claims_again(practice: Practice, changes: Iterable[Change]) -> None:
    """Leaves them to the next drain."""
    for change in changes:
        if change.name == "packages":
            differing = set(table_of(change.old or {})) ^ set(table_of(change.new or {}))
            claims = Claim.objects.for_practice(practice).filter(
                procedure_codes__overlap=sorted({package.code for package in differing})
            )
            ids = set(claims.values_list("external_id", flat=True))
            waiting.add(practice.pk, {"claim": ids}, clock.now())
