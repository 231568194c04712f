"""The v1 resources this program reads, as one table: where a list is, where one record is, what feeds it.

Paths are below `/v1/{practiceid}`; `always` are parameters sent on every list, feed and single read that
takes them. Sources: athena-api.md §2.1, §2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`envelope` is the key that holds the records, None for a bare array; `page_size` None: not paged.

    `dates` names the parameters that bound a list in time. `feed` is the path of the changed feed.
    """

    resource: str
    id_field: str
    path: str | None
    envelope: str | None
    page_size: int | None = None
    one: str | None = None
    feed: str | None = None
    dates: tuple[str, str] | None = None
    always: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def parents(self) -> frozenset[str]:
        """The ids the list path needs, e.g. {"patientid"}."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.path or "") if name)


_FEED_PAGE = 1000

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        endpoint.resource: endpoint
        for endpoint in (
            Endpoint(
                "departments",
                "departmentid",
                "/departments",
                "departments",
                page_size=1500,
                one="/departments/{departmentid}",
                always={"showalldepartments": "true"},  # else those hidden in the portal are missing
            ),
            Endpoint(
                "providers",
                "providerid",
                "/providers",
                "providers",
                page_size=1500,
                one="/providers/{providerid}",
                feed="/providers/changed",
            ),
            Endpoint(
                "patients",
                "patientid",
                None,  # /patients searches by name; there is no list
                "patients",
                page_size=_FEED_PAGE,
                one="/patients/{patientid}",
                feed="/patients/changed",
                always={"showpreviouspatientids": "true"},  # merges
            ),
            Endpoint(
                "insurances",
                "insuranceid",
                "/patients/{patientid}/insurances",
                "insurances",
                page_size=1500,
                always={"showcancelled": "true"},
            ),
            Endpoint(
                "appointments",
                "appointmentid",
                "/appointments/booked",
                "appointments",
                page_size=1000,  # what /booked returned unasked in the 2019 recording
                one="/appointments/{appointmentid}",
                feed="/appointments/changed",
                dates=("startdate", "enddate"),
                # claims nested in the row are the one place with encounterid and claimid side by side
                always={"showclaimdetail": "true", "showcancelled": "true", "showcopay": "false"},
            ),
            Endpoint(
                "encounters",
                "encounterid",
                "/chart/{patientid}/encounters",
                "encounters",
                page_size=1000,
                one="/chart/encounter/{encounterid}",
                dates=("startdate", "enddate"),
                # PEND, DELETED, FLOWSHEET
                always={"showallstatuses": "true", "showalltypes": "true", "showdiagnoses": "true"},
            ),
            Endpoint("services", "serviceid", "/encounter/{encounterid}/services", "services"),
            Endpoint(
                "claims",
                "claimid",
                "/claims",
                "claims",
                page_size=1000,
                one="/claims/{claimid}",
                feed="/claims/changed",
                dates=("createdstartdate", "createdenddate"),
            ),
            Endpoint("transactions", "transactionid", "/claims/{claimid}/claimtransactions", None),
            Endpoint(
                "claim_notes",
                "claimnoteid",
                "/claims/{claimid}/claimnotes",
                None,
                always={"pendingflags": "All"},
            ),
        )
    }
)


def endpoint(resource: str) -> Endpoint:
    try:
        return ENDPOINTS[resource]
    except KeyError:
        raise ValueError(f"no such v1 resource: {resource}") from None
