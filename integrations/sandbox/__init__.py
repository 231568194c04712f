"""A synthetic athenahealth that a client cannot tell from the real one: OAuth2, athenaOne v1, FHIR R4, faults.

`world` names what exists, `population` invents it and writes the ground-truth ledger, `store` keeps it on disk,
`server` speaks it over HTTP with athena's quirks.
"""
