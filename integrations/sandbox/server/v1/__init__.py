"""athenaOne v1 under `/v1/{practice}`: one module per resource; fixed paths before those with an id."""

from integrations.sandbox.server.v1 import (
    appointments,
    changed,
    claims,
    departments,
    encounters,
    insurances,
    misc,
    patients,
    providers,
    subscriptions,
)

ENDPOINTS = [
    endpoint
    for module in (
        misc,
        subscriptions,
        changed,
        departments,
        providers,
        patients,
        insurances,
        appointments,
        encounters,
        claims,
    )
    for endpoint in module.ENDPOINTS
]
