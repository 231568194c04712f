"""Tells whether an event notification was signed with the practice's secret.

The signature covers the exact bytes received; parse only afterwards (athena-api.md §5).
"""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Hub-Signature"
_SCHEME = "sha256="


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """`signature` is the header's value, `sha256=` and lower-case hex."""
    if not secret or not signature or not signature.startswith(_SCHEME):
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.removeprefix(_SCHEME).encode("utf-8", "replace"))
