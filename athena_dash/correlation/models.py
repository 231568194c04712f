"""The correlation model: a Visit, the Links that tie records to it, the Decisions of people about these, and the
Gaps that name what a visit lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from athena_dash.practices.querysets import PracticeOwned

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

MONEY: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}

# Every other index begins with the practice, and one statement writes thousands of rows of the one its caller holds
# the lock of: an index and a check per row of their own would cost a backfill more than the matching.
OF_PRACTICE: dict[str, Any] = {
    "on_delete": models.CASCADE,
    "related_name": "+",
    "db_index": False,
    "db_constraint": False,
}


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
    suppressor = models.TextField(
        default=""
    )  # why no gap may open: "cancelled", "charge entry not required: ..."
    reconsider_at = models.DateTimeField(null=True)  # when time alone could change the answer
    judged_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    if TYPE_CHECKING:
        links: RelatedManager[Link]
        gaps: RelatedManager[Gap]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "anchor", "anchor_id"], name="visit_anchor")
        ]
        indexes = [
            models.Index(
                fields=["practice", "-service_date", "-id"], name="visit_by_date"
            ),  # Visits, newest first
            models.Index(fields=["practice", "patient_id", "service_date"], name="visit_patient_day"),
            models.Index(  # D8: how the visits around one fared
                fields=["practice", "department_id", "service_date"], name="visit_department_day"
            ),
            models.Index(  # the tick: what is due to be judged again
                fields=["reconsider_at"],
                name="visit_reconsider",
                condition=models.Q(reconsider_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"visit {self.pk}"


class Link(models.Model):
    """Where one record belongs. One row per record; charges follow their claim, services their encounter."""

    class Kind(models.TextChoices):
        APPOINTMENT = "appointment"
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
    visit = models.ForeignKey(  # link_visit is its index
        Visit, null=True, on_delete=models.CASCADE, related_name="links", db_index=False
    )
    state = models.TextField(choices=State.choices)
    method = models.TextField(choices=Method.choices, default=Method.NONE)
    score = models.FloatField(default=0)  # 0..1
    evidence = models.JSONField(
        default=dict
    )  # {"appointment_id": "…"} or {"candidates": [...]}; ids and facts, no names
    decided_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    linked_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "kind", "record_id"], name="one_link_per_record")
        ]
        indexes = [
            models.Index(fields=["visit", "kind"], name="link_visit"),
            models.Index(  # the Unmatched screen
                fields=["practice", "state", "kind"], name="link_open", condition=~models.Q(state="linked")
            ),
            GinIndex(  # D10: which claims in review name a visit among their candidates
                OpClass("evidence", name="jsonb_path_ops"),
                name="link_offers",
                condition=models.Q(kind="claim", state="review"),
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

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    kind = models.TextField(choices=Link.Kind.choices)
    record_id = models.TextField()
    verb = models.TextField(choices=Verb.choices)
    # Named, so that `absorb` finds it: a visit that turns out to be another takes its decisions along.
    visit = models.ForeignKey(Visit, null=True, on_delete=models.SET_NULL, related_name="decisions")
    was_state = models.TextField(choices=Link.State.choices)  # of the link, before
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


class LinkQuality(models.Model):
    """How a practice's links of one kind stood when they were last counted on that day (quality)."""

    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()  # in the practice's zone
    kind = models.TextField(choices=Link.Kind.choices)
    linked = models.PositiveIntegerField(default=0)
    review = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    unmatched = models.PositiveIntegerField(default=0)
    methods = models.JSONField(default=dict)  # of the linked ones: {"id": 12}
    merged = models.PositiveIntegerField(default=0)  # linked ones that name a patient since merged away
    counted_at = models.DateTimeField()

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "day", "kind"], name="one_link_quality_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.kind} links of {self.practice_id} on {self.day}"


class LinkMeasure(models.Model):
    """One hide-and-compare of a practice's links of one kind: how far it is, and what came of it.

    Made batch by batch, each kept with its place in the sample, so that a worker killed between two loses none.
    """

    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.TextField(choices=Link.Kind.choices)
    size = models.PositiveIntegerField()  # records to hide; a small practice has fewer
    after = models.TextField(default="")  # place of the last record compared
    right = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    abstained = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list)  # of the wrong ones: {"record_id": "…", "visit": 1, "found": 2}
    asked_by = models.ForeignKey(  # nobody: the night
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "kind"],
                condition=models.Q(finished_at__isnull=True),
                name="one_link_measure_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["practice", "kind", "-asked_at"], name="link_measure_newest")]

    def __str__(self) -> str:
        return f"measure {self.pk} of {self.kind} links"

    @property
    def done(self) -> int:
        return self.right + self.wrong + self.abstained


class Weights(models.Model):
    """What a practice's own linked claims say each level of agreement is worth (learning). Versions are kept, so that
    one can be taken back; 0 and no version at all are the shipped points."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    learnt_at = models.DateTimeField()
    known = models.PositiveIntegerField()  # claims whose visit was known then
    pairs = models.PositiveIntegerField()  # of a sampled one with its own visit
    others = models.PositiveIntegerField()  # and with another visit around its day
    points = models.JSONField()  # level → decimal as text, like weights.SHIPPED
    active = models.BooleanField(default=False)
    reached = models.TextField(default="")  # the claims without an id up to here are tied by it
    applied_at = models.DateTimeField(null=True)  # all of them

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        ordering = ["practice", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "version"], name="one_weights_version"),
            models.UniqueConstraint(
                fields=["practice"], condition=models.Q(active=True), name="one_active_weights"
            ),
        ]

    def __str__(self) -> str:
        return f"weights {self.version} of {self.practice_id}"


class PaidBefore(models.Model):
    """What a practice is usually paid, as last learned from its own settled claims (learned_sql)."""

    practice = models.OneToOneField(
        "practices.Practice", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    lesson = models.JSONField()
    again_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"what {self.practice_id} is paid"


class Cohorts(models.Model):
    """The department days on which far more than usual is missing, as last found (cohorts, D6)."""

    practice = models.OneToOneField(
        "practices.Practice", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    found = models.JSONField(default=list)
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"cohorts of {self.practice_id}"


class Verdict(models.TextChoices):
    NOT_BILLED = "not_billed", "Not billed"
    NOT_SYNCED = "not_synced", "Not synced"
    SUSPECT_SYNC = "suspect_sync", "Suspect sync"
    UNVERIFIED = "unverified", "Unverified"


class Gap(models.Model):
    """Something a visit (or, for an orphan result, a record) lacks. Reopens as the same row; closes when seen
    fixed."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.CASCADE, related_name="+")
    visit = models.ForeignKey(Visit, null=True, on_delete=models.CASCADE, related_name="gaps")
    record_kind = models.TextField(
        default=""
    )  # set with record_id when there is no visit: an orphan result (G17)
    record_id = models.TextField(default="")
    code = models.TextField()  # "G13"
    primary = models.BooleanField(default=False)  # earliest broken link; its dollars count, others are chips
    owner = models.TextField()  # front desk, provider, coder, biller, clinical staff, payer, integration
    sentence = models.TextField()  # "Signed 3 days ago, no charge entered"; no PHI
    at_risk = models.DecimalField(**MONEY, null=True)  # expected dollars
    estimator = models.TextField(default="")  # E1..E6, revenue-cycle.md §2.0
    verdict = models.TextField(choices=Verdict.choices)
    evidence = models.JSONField(default=list)  # [{"signal": "D1", "says": "…"}]; no PHI
    needs_feed = models.TextField(default="")  # the feed whose staleness turns the verdict into suspect sync
    since = models.DateTimeField()  # when the condition began
    due_at = models.DateTimeField(null=True)  # SLA of the owner
    filing_limit = models.DateField(null=True)
    asked_at = models.DateTimeField(
        null=True
    )  # when athena itself said so, where the verdict rests on it (D4)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.TextField(default="")  # data | suppressor | replay | live_read | user
    times_opened = models.PositiveIntegerField(default=1)

    objects: ClassVar[Any] = PracticeOwned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "code"], name="one_gap_per_visit_and_code"),
            models.UniqueConstraint(
                fields=["practice", "record_kind", "record_id", "code"],
                condition=models.Q(visit__isnull=True),
                name="one_gap_per_record_and_code",
            ),
            models.UniqueConstraint(
                fields=["visit"],
                condition=models.Q(closed_at__isnull=True, primary=True),
                name="one_open_primary_gap_per_visit",
            ),
        ]
        indexes = [
            models.Index(  # the worklist and its counts
                fields=["practice", "code", "-at_risk", "-id"],
                name="gap_open",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(  # Visits, dearest first
                fields=["practice", "-at_risk", "-id"],
                name="gap_first_by_dollars",
                condition=models.Q(closed_at__isnull=True, primary=True),
            ),
            models.Index(  # what closed since: Today, replays
                fields=["practice", "closed_at"],
                name="gap_closed",
                condition=models.Q(closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} on visit {self.visit_id}"
