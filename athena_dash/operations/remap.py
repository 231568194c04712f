"""Status words newly explained → payloads reported for them go through the pipeline again, which ends the reports."""

from __future__ import annotations

from athena_dash.practices.models import Practice
from athena_dash.sync.models import Failure, RawRecord, RawSegment, Reason, Stage


def process_unmapped_again(practice: Practice) -> int:
    """Leaves them to the sweeper; one that has no meaning still is reported anew."""
    reports = Failure.objects.for_practice(practice).filter(
        stage=Stage.GAPS,
        reason=Reason.UNMAPPED,
        subject_kind=Failure.SubjectKind.RAW,
        resolved_at__isnull=True,
    )
    raw_ids = [int(subject_id) for subject_id in reports.values_list("subject_id", flat=True)]
    left = RawRecord.objects.for_practice(practice).filter(pk__in=raw_ids, segment_id__isnull=False)
    segments = RawSegment.objects.filter(pk__in=left.values("segment_id"))
    segments.update(processed_version=None)
    count: int = left.count()
    return count
