"""What somebody searches for into an opaque token for the URL, and the token into a condition on visits.

The text may be a patient's name: it travels by POST, is kept encrypted under the token's hash, and expires.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Collection

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q

from athena_dash.core.crypto import Undecryptable, decrypt, encrypt
from athena_dash.correlation.models import Link
from athena_dash.records.models import Patient

KEPT_SECONDS = 12 * 60 * 60  # as long as a session
MOST_PATIENTS = 500


def remember(text: str) -> str:
    token = secrets.token_urlsafe(12)
    cache.set(_key(token), encrypt(text), KEPT_SECONDS)
    return token


def recall(token: str) -> str | None:
    """The text again; None once it has expired, or when the token never was one."""
    stored = cache.get(_key(token)) if token else None
    try:
        return decrypt(stored) if stored else None
    except Undecryptable:
        return None


def _key(token: str) -> str:
    return f"search:{hashlib.sha256(token.encode()).hexdigest()}"


def matching(text: str, name_practices: Collection[int]) -> Q:
    """Visits with that patient, appointment, encounter or claim id; by name only in `name_practices`.

    Searching names where one may not see them would tell them letter by letter.
    """
    words = text.split()
    if not words:
        return Q(pk__in=())
    ids = [word.lstrip("#") for word in words]
    records = Link.objects.filter(visit=OuterRef("pk"), record_id__in=ids)
    where: Q = Q(patient_id__in=ids) | Q(anchor_id__in=ids) | Q(Exists(records))
    patients = Patient.objects.filter(practice_id__in=name_practices)
    for word in words:
        part = word.strip(",")
        patients = patients.filter(Q(first_name__istartswith=part) | Q(last_name__istartswith=part))
    named: defaultdict[int, list[str]] = defaultdict(list)
    for practice_id, patient_id in patients.values_list("practice_id", "external_id")[:MOST_PATIENTS]:
        named[practice_id].append(patient_id)
    for practice_id, patient_ids in named.items():
        where |= Q(practice_id=practice_id, patient_id__in=patient_ids)
    return where
