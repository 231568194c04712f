"""Reads athenahealth's FHIR R4: searches as Pages of raw resources, projections, conformance findings."""
