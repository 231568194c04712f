"""Imported by a worker before it forks: what each of its jobs would else read anew."""

from __future__ import annotations

from integrations.fhir.validate import load_models

load_models()
