"""The differences from athena's recordings that remain, by resource and path below a row, each with its reason."""

SPARSE = "filled for a few rows of the recording; the synthetic world has nothing to say there"
DOCUMENTED = "documented by athena (athena-api.md 2.2), not filled in this recording"
SPEC_2021 = "in athena's response schema of 2021; the recordings of encounters are older"

ACCEPTED: dict[str, dict[str, str]] = {
    "departments": {"address2": SPARSE, "clinicalproviderfax": SPARSE},
    "insurances": {"insurancepolicyholderaddress2": SPARSE},
    "providers": {
        "homedepartment": SPARSE,
        "scheduleresourcetype": SPARSE,
        "sex": SPARSE,
        "supervisingproviderusername": SPARSE,
    },
    "patients": {"lastupdated": DOCUMENTED, "lastupdatedby": DOCUMENTED},
    "appointments": {
        "frozen": SPARSE,
        "checkoutdatetime": DOCUMENTED,
        "startcheckoutdatetime": DOCUMENTED,
        "encounterstate": "recorded in 2019 (athena-api.md 2.2, joint distribution), not yet in 2016",
    },
    "encounters": {
        "departmentid": SPEC_2021,
        "providerid": SPEC_2021,
        "providerfirstname": SPEC_2021,
        "providerlastname": SPEC_2021,
        "closeddate": SPEC_2021,
        "closeduser": SPEC_2021,
    },
    "claims": {
        "appointmentid": DOCUMENTED,
        "patientpayer.note": "recorded in 2019 on a COLLECT slot; this claim's is closed",
    },
}
