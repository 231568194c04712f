"""Where one record belongs, and what people said about it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from athena_dash.correlation.models.base import OF_PRACTICE
from athena_dash.correlation.models.coverage import Coverage
from athena_dash.correlation.models.visit import Visit
from athena_dash.practices.querysets import PracticeOwned


class Link(models.Model):
    """Where one record belongs. One row per record; charges follow their claim, services their encounter, and an
    appointment is its visit: nothing is said of it that the visit's anchor does not say."""

    class Kind(models.TextChoices):
        ENCOUNTER = "encounter"
        CLAIM = "claim"
        CLINICAL = "clinical"

    class State(models.TextChoices):
        LINKED = "linked"
        PENDING = "pending", "names a record we have not received"
        REVIEW = "review", "several candidates, a person must choose"
        UNMATCHED = "unmatched", "belongs to no visit we know"

    class Method(models.TextChoices):
        ANCHOR = "anchor", "is the visit's own appointment or encounter"
        ID = "id", "names the same appointment or encounter"
        PATIENT_DAY = "patient_day", "same patient, day, department and provider"
        SCORED = "scored", "best candidate by score"
        MANUAL = "manual", "a person decided"
        NONE = "none"

    practice = models.ForeignKey("practices.Practice", **OF_PRACTICE)
    kind = models.TextField(choices=Kind.choices)
    record_id = models.TextField()  # the record's external_id
    # link_visit is its index. Looking up each row's visit doubles the cost of writing it, and can find nothing: the one
    # statement that makes links joins the visits, and the one place that deletes visits (absorb) moves theirs first.
    visit = models.ForeignKey(
        Visit, null=True, on_delete=models.CASCADE, related_name="links", db_index=False, db_constraint=False
    )
    state = models.TextField(choices=State.choices)
    method = models.TextField(choices=Method.choices, default=Method.NONE)
    score = models.FloatField(default=0)  # 0..1
    evidence = models.JSONField(
        default=dict
    )  # {"appointment_id": "…"} or {"candidates": [...]}; ids and facts, no names
    decided_by = (
        models.ForeignKey(  # unchecked, for a check is queued for every row, also where nobody decided
            "accounts.User",
            null=True,
            on_delete=models.SET_NULL,
            related_name="+",
            db_index=False,
            db_constraint=False,
        )
    )
    linked_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [  # by what tells rows apart first: a kind before it would be compared at each step down the tree
            models.UniqueConstraint(fields=["practice", "record_id", "kind"], name="one_link_per_record")
        ]
        indexes = [
            models.Index(fields=["visit", "kind"], name="link_visit"),
            models.Index(  # the Unmatched screen
                fields=["practice", "state", "kind"], name="link_open", condition=~models.Q(state="linked")
            ),
            models.Index(  # what was tied without an id, as the Quality page lists it
                fields=["practice", "method", "-id"],
                name="link_guessed",
                condition=models.Q(method__in=["patient_day", "scored", "manual"]),
            ),
            models.Index(
                fields=["decided_by"], name="link_decided", condition=models.Q(decided_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id} {self.state}"


class Decision(models.Model):
    """What a person said about one record's place, and when. Append-only: the Link holds what stands now.

    Named by kind and record, not by link: links are rewritten, and the audit must outlive them.
    """

    class Verb(models.TextChoices):
        TIE = "tie", "tied to a visit"
        NONE = "none", "belongs to none of the visits"
        UNDO = "undo", "left to the rules again"
        PART = "part", "pays for this visit too"
        NOT_PART = "not_part", "does not pay for this visit"

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    kind = models.TextField(choices=Link.Kind.choices)
    record_id = models.TextField()
    verb = models.TextField(choices=Verb.choices)
    # Named, so that `absorb` finds it: a visit that turns out to be another takes its decisions along.
    visit = models.ForeignKey(Visit, null=True, on_delete=models.SET_NULL, related_name="decisions")
    # before: of the link, or of the coverage
    was_state = models.TextField(choices=[*Link.State.choices, *Coverage.State.choices])
    was_method = models.TextField(choices=Link.Method.choices)
    was_visit = models.ForeignKey(
        Visit, null=True, on_delete=models.SET_NULL, related_name="decisions_before"
    )
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["practice", "kind", "record_id", "-at"], name="decision_record")]

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.record_id}"
