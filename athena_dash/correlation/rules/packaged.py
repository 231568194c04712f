"""Services that are reported and never charged by themselves → by when the claim that pays for them can be expected."""

from __future__ import annotations

from datetime import date, timedelta

from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def charged_by(visit: VisitFacts, policies: Policies) -> date | None:
    """None where anything is charged by itself. A prenatal visit (0502F) is charged with the birth, up to nine months
    later; if that claim never comes, every visit was given away."""
    codes = [service.procedure_code for service in visit.billable_services or visit.services]
    if not any(code.endswith("F") for code in codes):  # CPT category II, which only reports
        return None
    waits = [policies.package_waits.get(code) for code in codes]
    known = [days for days in waits if days is not None]
    if len(known) < len(codes) or visit.service_date is None:
        return None
    return visit.service_date + timedelta(days=max(known))
