"""A page, or the part of it that htmx asked for: one URL, one view, one template per part.

`page(request, "worklist/visits.html", context, parts={"list": "worklist/list.html"})` answers with the part
whose key is the id htmx is about to fill; no JavaScript, a reload or "back" get the whole page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    parts: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    htmx = request.htmx  # type: ignore[attr-defined]
    # After "back", htmx asks for the whole page although it names a target.
    part = None if htmx.history_restore_request else (parts or {}).get(htmx.target or "")
    response = render(request, part if htmx and part else template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
