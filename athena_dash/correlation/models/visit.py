"""One visit of one patient: what every record, link and gap hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from athena_dash.correlation.models.base import MONEY, OF_PRACTICE
from athena_dash.practices.querysets import PracticeOwned

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

    from athena_dash.correlation.models.gap import Gap
    from athena_dash.correlation.models.link import Link


class Visit(models.Model):
    """One visit of one patient, anchored by the strongest id that names it.

    Anchor: the appointment that made it; else the encounter (orders only, inpatient stay). A claim that
    belongs to no known visit stays an unmatched Link, never a made-up visit. Columns below the anchor are a
    projection of the linked records, rewritten whenever one of them changes, so that lists need no joins.
    """

    class Anchor(models.TextChoices):
        APPOINTMENT = "appointment"
        ENCOUNTER = "encounter"

    practice = models.ForeignKey("practices.Practice", **OF_PRACTICE)
    anchor = models.TextField(choices=Anchor.choices)
    anchor_id = models.TextField()
    patient_id = models.TextField(default="")  # after the merge map
    service_date = models.DateField(null=True)  # department-local
    department_id = models.TextField(default="")
    provider_id = models.TextField(default="")
    visit_type = models.TextField(default="")
    payer_name = models.TextField(default="")  # primary insurance of the claim, else of the patient
    # Eight letters, one per node of the visit track: scheduled arrived documented signed charged claimed billed
    # paid. D done, C current, M missing, F failed, - not reached, N does not apply. Not-synced is joined at read.
    track = models.CharField(max_length=8, default="--------")
    charges = models.DecimalField(**MONEY, null=True)  # gross
    paid = models.DecimalField(**MONEY, null=True)
    outstanding = models.DecimalField(**MONEY, null=True)
    # why no gap may open: "cancelled", "charge entry not required: ..."
    suppressor = models.TextField(default="")
    reconsider_at = models.DateTimeField(null=True)  # when time alone could change the answer
    judged_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    if TYPE_CHECKING:
        links: RelatedManager[Link]
        gaps: RelatedManager[Gap]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "anchor_id", "anchor"], name="visit_anchor")
        ]
        indexes = [
            models.Index(  # Visits, newest first: a day's are sorted by id then; D8: how a department's day fared
                fields=["practice", "-service_date", "department_id"], name="visit_by_date"
            ),
            models.Index(  # the tick: what is due to be judged again
                fields=["reconsider_at"],
                name="visit_reconsider",
                condition=models.Q(reconsider_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"visit {self.pk}"
