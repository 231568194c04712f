"""Failures in words: what each is about, by ids only, and when it is due."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from athena_dash.core import clock
from athena_dash.core.templatetags.ui import ago
from athena_dash.sync.models import Failure
from athena_dash.sync.resources import spoken

register = template.Library()

KINDS = {
    "chargeline": "charge line",
    "claimnote": "claim note",
    "clinicalfact": "clinical fact",
    "serviceline": "service line",
}


@register.filter
def kind(record_kind: str) -> str:
    return KINDS.get(record_kind, record_kind)


@register.filter
def subject(failure: Failure) -> SafeString | str:
    """ "claim 2101", "observations of patient 105", "appointments feed"."""
    resource = spoken(failure.feed.resource) if failure.feed else ""
    if failure.record_kind and failure.record_id:
        return format_html('{} <span class="mono">{}</span>', kind(failure.record_kind), failure.record_id)
    if failure.subject_kind == Failure.SubjectKind.FEED:
        return f"{resource} feed"
    if failure.subject_kind == Failure.SubjectKind.CHUNK:
        return f"history of {resource}"
    if failure.subject_kind == Failure.SubjectKind.AUDIT:
        return f"completeness of {resource}"
    if failure.subject_kind == Failure.SubjectKind.VISIT:
        return format_html('visit <span class="mono">{}</span>', failure.subject_id)
    if failure.patient_id:
        return format_html('{} of patient <span class="mono">{}</span>', resource, failure.patient_id)
    return f"{kind(failure.record_kind) or resource or 'record'} without a usable id"


RESOLUTIONS = {
    "retried": "An automatic retry came through",
    "replayed": "A replay came through",
    "superseded": "A newer copy of the record came through",
    "gone": "athena no longer has the record",
}


@register.filter
def resolution(failure: Failure) -> str:
    return RESOLUTIONS.get(failure.resolution, failure.resolution.capitalize())


@register.filter
def due(at: dt.datetime | None) -> SafeString | str:
    """ "in 4 min"; what is due already is "due now", however long it has waited for a worker."""
    return ago(at) if at and at > clock.now() else "due now"
