"""dlt's `rest_api` source into PostgreSQL; runs in .venv/bench, without anything of the product.

One JSON object on stdin: address, lists, page, database (host, password, …), mode, directory. Answers "ready" once
imported, waits for a line, pulls, answers with its figures; until stdin ends. `default` is dlt as it comes: nested
tables, delete and insert. `best` maps each record to the flat row we need, loads CSV and merges by upsert.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any
from urllib.parse import quote


def main() -> None:
    given = json.loads(sys.stdin.readline())
    os.environ["DLT_DATA_DIR"] = given["directory"]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    if given["mode"] == "best":
        os.environ |= BEST
    import dlt
    from dlt.destinations import postgres

    host = quote(given["database"]["host"], safe="")
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=given["directory"],
        destination=postgres(credentials={**given["database"], "host": host, "port": 5432}),
        dataset_name="dlt",
    )
    print("ready", flush=True)
    for _ in sys.stdin:
        began, before = time.perf_counter(), cpu()
        source = make_source(given)
        pipeline.run(source, **({"loader_file_format": "csv"} if given["mode"] == "best" else {}))
        seconds = time.perf_counter() - began
        used = {
            "seconds": seconds,
            "cpu_python": cpu() - before,
            "rss_mb": max(u.ru_maxrss for u in usage()) // 1024,
        }
        with pipeline.sql_client() as client:
            tables = [t for t in pipeline.default_schema.data_table_names() if "__" not in t]
            rows = {t: client.execute_sql(f"select count(*) from {t}")[0][0] for t in sorted(tables)}  # noqa: S608
        print(json.dumps({**used, "rows": rows}), flush=True)


def usage() -> list[resource.struct_rusage]:
    """Of this process, and of its normalise workers that have ended."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def cpu() -> float:
    return sum(used.ru_utime + used.ru_stime for used in usage())


BEST = {
    "NORMALIZE__WORKERS": "2",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "100000",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "25000",
}


def make_source(given: dict[str, Any]) -> Any:
    from dlt.sources.rest_api import rest_api_source

    best = given["mode"] == "best"
    resources = []
    for name, (key, selector, row) in RESOURCES.items():
        path, _ = given["lists"][name]
        by_link = name == "fhir_encounters"
        offsets = {"type": "offset", "limit": given["page"], "total_path": "totalcount"}
        one: dict[str, Any] = {
            "name": name,
            "primary_key": key,
            "write_disposition": {"disposition": "merge", "strategy": "upsert"} if best else "merge",
            "endpoint": {
                "path": path,
                "data_selector": selector,
                "paginator": {"type": "json_link", "next_url_path": "link[0].url"} if by_link else offsets,
            },
        }
        if best:
            one |= {"processing_steps": [{"map": row}], "max_table_nesting": 0, "parallelized": True}
        resources.append(one)
    return rest_api_source({"client": {"base_url": given["address"]}, "resources": resources})


def encounter(r: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": r["id"],
        "encounter_id": r["id"].rpartition("-")[2],
        "patient_id": r["subject"]["reference"].rpartition("-")[2],
        "fhir_status": r["status"],
        "fhir_class": r["class"]["code"],
        "started_at": r["period"]["start"],
        "ended_at": r["period"]["end"],
    }


def claim(r: dict[str, Any]) -> dict[str, Any]:
    lines = r["procedures"]
    return {
        "claimid": r["claimid"],
        "appointment_id": r["appointmentid"],
        "patient_id": r["patientid"],
        "department_id": r["departmentid"],
        "billed_provider_id": r["billedproviderid"],
        "supervising_provider_id": r["supervisingproviderid"],
        "service_date": r["billedservicedate"],
        "created_date": r["claimcreateddate"],
        "charge_amount": round(sum([float(line["chargeamount"]) for line in lines]), 2),
        "primary_status": r["primaryinsurancepayer"]["status"],
        "primary_insurance_id": r["primaryinsurancepayer"]["primarypatientinsuranceid"],
        "secondary_status": r["secondaryinsurancepayer"]["status"],
        "secondary_insurance_id": r["secondaryinsurancepayer"]["secondarypatientinsuranceid"],
        "patient_status": r["patientpayer"]["status"],
        "diagnosis_codes": "|".join([d["diagnosisrawcode"] for d in r["diagnoses"]]),
        "procedure_codes": "|".join([line["procedurecode"] for line in lines]),
    }


def charge(r: dict[str, Any]) -> dict[str, Any]:
    return {
        "transactionid": r["transactionid"],
        "claim_id": r["claimid"],
        "procedure_code": r["procedurecode"].removeprefix("CPT "),
        "description": r["proceduredescription"],
        "amount": r["amount"],
        "units": r["units"],
        "posted_on": r["transactiondate"],
        "payments": float(r["payments"]),
        "adjustments": r["adjustments"],
        "outstanding": float(r["outstandingamount"]),
        "payer": r["payer"],
    }


RESOURCES = {
    "fhir_encounters": ("id", "entry[*].resource", encounter),
    "claims": ("claimid", "claims", claim),
    "transactions": ("transactionid", "claimtransactions", charge),
}

if __name__ == "__main__":
    main()
