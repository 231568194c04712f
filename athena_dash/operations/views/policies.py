"""A practice's policies: inherited or its own, previewed on the last 90 days before saving, kept as versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs, user_of
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.correlation import lab
from athena_dash.correlation.models import Visit
from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.unconnected import UNCONNECTED
from athena_dash.operations.remap import process_unmapped_again
from athena_dash.operations.repackage import relate_claims_again
from athena_dash.operations.seen import seen_in
from athena_dash.operations.views.practices import managed
from athena_dash.practices import versions
from athena_dash.practices.models import Policy, PolicyVersion, Practice
from athena_dash.practices.policies import Policies
from athena_dash.practices.policy_forms import PoliciesForm
from athena_dash.sync import jobs

TITLES = {rule.code: rule.title for rule in RULES} | {"G17": "Result that belongs to no visit"}
VERSIONS = 20


@require_http_methods(["GET", "POST"])
@needs(MANAGE_PRACTICE)
def policies(request: HttpRequest, slug: str) -> HttpResponse:
    """POST previews; with `save` and the signature of what was previewed, it saves. `?before=N` previews going back."""
    practice = get_object_or_404(managed(request), slug=slug)
    stored = stored_policies(practice)
    own = {name: policy.value for name, policy in stored.items()}
    undone = going_back(request, practice)
    form = PoliciesForm(
        request.POST if request.method == "POST" else None,
        stored=stored,
        titles=TITLES,
        seen=seen_in(practice),
        values=Policies(own).altered(undone).overrides if undone else None,
    )
    if form.is_bound and not form.is_valid():
        return show(request, practice, form, ())
    changes = versions.changes_to(own, form.wanted() if form.is_bound else undone)
    if "save" in request.POST and request.POST.get("previewed") == versions.signature(changes):
        return save(request, practice, changes)
    if form.is_bound and not changes:
        messages.info(request, "Nothing changed.")
        return redirect("policies", practice.slug)
    return show(request, practice, form, changes)


def stored_policies(practice: Practice) -> dict[str, Policy]:
    rows = Policy.objects.filter(practice=practice).select_related("set_by")
    return {policy.name: policy for policy in rows}


def going_back(request: HttpRequest, practice: Practice) -> dict[str, Any]:
    number = request.GET.get("before", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return {}
    return versions.before(get_object_or_404(PolicyVersion, practice=practice, pk=number))


def save(request: HttpRequest, practice: Practice, changes: Sequence[versions.Change]) -> HttpResponse:
    try:
        with transaction.atomic():
            versions.save(practice, changes, user_of(request).pk)
            # Marked due, so that a lost bell only means waiting for the next tick.
            Visit.objects.for_practice(practice).update(reconsider_at=clock.now())
            if any(change.name.startswith("claim_status.") for change in changes):
                process_unmapped_again(practice)
            relate_claims_again(practice, changes)
            transaction.on_commit(lambda: jobs.ring_rejudging(practice.pk))
    except versions.Overtaken:
        messages.error(request, "Somebody else has just changed these policies. Look again, then save.")
    else:
        count = f"{len(changes)} {'value' if len(changes) == 1 else 'values'}"
        messages.success(request, f"{count} changed. Every visit is being judged again.")
    return redirect("policies", practice.slug)


def show(
    request: HttpRequest, practice: Practice, form: PoliciesForm, changes: Sequence[versions.Change]
) -> HttpResponse:
    own = Policies({name: policy.value for name, policy in form.stored.items()})
    wanted = own.altered({change.name: change.new for change in changes})
    latest = practice.policy_versions.select_related("saved_by").order_by("-pk")[:VERSIONS]
    context = {
        "practice": practice,
        "tab": "policies",
        "form": form,
        "changes": changes,
        "signature": versions.signature(changes),
        "preview": lab.preview(practice.pk, own, wanted) if changes else None,
        "off": UNCONNECTED,
        "versions": [(version, versions.changes_of(version)) for version in latest],
    }
    return page(request, "operations/policies.html", context, status=422 if form.errors else 200)
