"""GET /providers, /providers/{id} (recorded 2023: numeric ids and NPIs, `specialtyid` "008")."""

from __future__ import annotations

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.server.wire import number, present
from integrations.sandbox.world import Provider


def list_providers(call: Call) -> object:
    return listing(call, "providers", Provider, Filter(), lambda found: [render(item) for item in found])


def get_provider(call: Call) -> object:
    found = one(call.store, call.practice, Provider, call.ids["providerid"])
    if found is None:
        raise no_such("provider")
    return [render(found)]


def render(provider: Provider) -> dict[str, object]:
    username = f"{provider.first_name[:1]}{provider.last_name}".lower()
    return present(
        providerid=number(provider.id),
        firstname=provider.first_name,
        lastname=provider.last_name,
        displayname=f"{provider.first_name} {provider.last_name}, {provider.provider_type}",
        npi=number(provider.npi),
        schedulingname=f"{provider.last_name}_{provider.first_name}",
        providertype=provider.provider_type,
        providertypeid=provider.provider_type,
        specialty=provider.specialty,
        specialtyid=specialty_id(provider.specialty_id),
        billable=provider.billable,
        entitytype="Person",
        ansinamecode=f"Allopathic & Osteopathic Physicians : {provider.specialty} (207Q00000X)",
        ansispecialtycode="207Q00000X",
        acceptingnewpatients=False,
        hideinportal=False,
        createencounteroncheckin=provider.create_encounter_on_checkin,
        providerusername=username,
        supervisingproviderid=number(provider.supervisor_id) if provider.supervisor_id else None,
    )


def specialty_id(id: str) -> object:
    """A number unless a leading zero would be lost: both types stand in one recorded list."""
    return id if id.startswith("0") else number(id)


ENDPOINTS = [
    Endpoint("GET", "/providers", list_providers, "providerid"),
    Endpoint("GET", "/providers/{providerid}", get_provider, "providerid"),
]
