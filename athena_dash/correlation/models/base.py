"""What the tables of this app have in common."""

from __future__ import annotations

from typing import Any

from django.db import models

MONEY: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}

# Every other index begins with the practice, and one statement writes thousands of rows of the one its caller holds
# the lock of: an index and a check per row of their own would cost a backfill more than the matching.
OF_PRACTICE: dict[str, Any] = {
    "on_delete": models.CASCADE,
    "related_name": "+",
    "db_index": False,
    "db_constraint": False,
}
