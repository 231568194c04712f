"""Merges of patients that athena has taken back; holds raw SQL.

A survivor's list of previous ids says that a merge happened. That it no longer names a patient says the contrary only
together with that patient's own record, which lives again: a payload handed to us by another engine may have been asked
for without the list.
"""

from __future__ import annotations

from collections.abc import Collection

from athena_dash.core import literals
from athena_dash.core.one_trip import fetch

UNMERGE = """
update records_patient loser set merged_into = '', unmerged_from = loser.merged_into
from records_patient survivor
where loser.practice_id = %(practice)s and loser.merged_into <> ''
  and (loser.external_id = any(%(ids)s::text[]) or loser.merged_into = any(%(ids)s::text[]))
  and loser.status not in ('', 'deleted')
  and survivor.practice_id = loser.practice_id and survivor.external_id = loser.merged_into
  and not loser.external_id = any(survivor.previous_ids)
returning loser.external_id
"""


def unmerge(practice_id: int, patient_ids: Collection[str]) -> set[str]:
    """Of the merges that concern these patients, who have just changed, ends those taken back. The ids that stand for
    themselves again."""
    if not patient_ids:
        return set()
    (unmerged,) = fetch({"practice": practice_id, "ids": literals.text_array(patient_ids)}, UNMERGE)
    return {external_id for (external_id,) in unmerged}
