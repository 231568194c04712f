"""Speaks the store over HTTP as athenahealth would, with faults: `create_app` in process or `serve` alone."""

from integrations.sandbox.server.app import create_app
from integrations.sandbox.server.presets import PRESETS, PREVIEW, PRODUCTION, Preset
from integrations.sandbox.server.process import make_server, serve

__all__ = ["PRESETS", "PREVIEW", "PRODUCTION", "Preset", "create_app", "make_server", "serve"]
