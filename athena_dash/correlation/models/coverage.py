"""A visit that a claim of another visit, or of none, pays for (docs/adr/0011)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.correlation.models.base import OF_PRACTICE
from athena_dash.correlation.models.visit import Visit
from athena_dash.practices.querysets import PracticeOwned


class Coverage(models.Model):
    """Beside the Link, which says whose the claim is: of a claim's dollars nothing is counted here.

    Rows that the rule no longer finds are deleted, unless a person has spoken: those stay, `over`, and hold again when
    the rule finds them again.
    """

    class State(models.TextChoices):
        COVERED = "covered", "part of the claim"
        ASKED = "asked", "may be part of the claim, a person must say"
        DECLINED = "declined", "a person said that it is not part of the claim"
        OVER = "over", "the claim pays for it no longer"

    practice = models.ForeignKey("practices.Practice", **OF_PRACTICE)
    # Written by one statement that joins the visits, so without a look-up per row; deleted with its visit (absorb).
    visit = models.ForeignKey(
        Visit, on_delete=models.CASCADE, related_name="coverages", db_index=False, db_constraint=False
    )
    claim_id = models.TextField()  # the claim's external_id
    kind = models.TextField()  # of practices.packages.KINDS
    code = models.TextField()  # the procedure that makes the claim a package
    starts_on = models.DateField()
    ends_on = models.DateField()
    state = models.TextField(choices=State.choices)
    # {"marks": [codes], "diagnoses": [codes], "others": [codes], "provider": same | specialty | other}
    evidence = models.JSONField(default=dict)
    since = models.DateTimeField()  # the state
    # What a person said, which outranks the rule while the rule finds the pair at all.
    said = models.TextField(choices=[(State.COVERED, "part"), (State.DECLINED, "not part")], default="")
    said_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "claim_id"], name="one_coverage_per_visit_and_claim")
        ]
        indexes = [models.Index(fields=["practice", "claim_id"], name="coverage_claim")]

    def __str__(self) -> str:
        return f"visit {self.visit_id} in claim {self.claim_id}: {self.state}"
