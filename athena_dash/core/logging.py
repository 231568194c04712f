"""Log records into JSON lines that hold no PHI, whatever was logged.

An exception's own message may quote a patient (a database DETAIL, a validation error), so only its type and
the places it passed through are written, and its words only where the class vouches for them: `safe_message`.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

# Set by every LogRecord; whatever else a record carries was given by our own `extra=`.
STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request", "server_time"}
OURS = ("athena_dash", "integrations")


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        from athena_dash.core.middleware import request_id

        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event(record),
        }
        if identifier := request_id.get():
            line["request_id"] = identifier
        if isinstance(request := getattr(record, "request", None), HttpRequest):
            # The pattern, not the address: what a person typed into one could be anything.
            match = request.resolver_match
            line |= {"method": request.method, "route": match.route if match else None}
        line |= {name: value for name, value in record.__dict__.items() if name not in STANDARD}
        if record.exc_info and record.exc_info[1]:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, default=lambda value: type(value).__name__)


def event(record: logging.LogRecord) -> str:
    """Our own messages are written to hold no PHI. Of anyone else's only the template, not what fills it."""
    if record.name.startswith(OURS):
        return record.getMessage()
    return str(record.msg)[:200]


def describe(error: BaseException) -> dict[str, Any]:
    """Type, place and vouched-for words of an exception and of what it was raised from."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }
    if isinstance(message := getattr(error, "safe_message", None), str):
        described["message"] = message
    cause = error.__cause__ or error.__context__
    if cause is not None and cause is not error:
        described["from"] = f"{type(cause).__module__}.{type(cause).__qualname__}"
    return described
