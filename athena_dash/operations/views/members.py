"""Who works in a practice and in which role; an admin cannot change or remove their own membership."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from athena_dash.accounts.models import User
from athena_dash.accounts.rights import MANAGE_PRACTICE, needs, user_of
from athena_dash.core.render import page
from athena_dash.operations.views.practices import managed
from athena_dash.practices.forms import MemberForm
from athena_dash.practices.models import Membership, Role


@require_http_methods(["GET", "POST"])
@needs(MANAGE_PRACTICE)
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """POST adds a user by username."""
    found = get_object_or_404(managed(request), slug=slug)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = User.objects.filter(username__iexact=form.cleaned_data["username"], is_active=True).first()
        if user is None:
            form.add_error("username", "No active user has this username.")
        elif found.memberships.filter(user=user).exists():
            form.add_error("username", f"{user} is a member already; change the role below.")
        else:
            Membership.objects.create(user=user, practice=found, role=form.cleaned_data["role"])
            messages.success(request, f"{user} can now work in {found}.")
            return redirect("members", found.slug)
    context = {
        "practice": found,
        "members": found.memberships.select_related("user").order_by("user__username"),
        "form": form,
        "roles": Role,
        "tab": "members",
    }
    return page(request, "operations/members.html", context, status=422 if form.errors else 200)


@require_POST
@needs(MANAGE_PRACTICE)
def change_member(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`role` is one of the roles, or "remove"."""
    found = get_object_or_404(managed(request), slug=slug)
    member = get_object_or_404(found.memberships.select_related("user"), pk=pk)
    wanted = request.POST.get("role", "")
    if member.user_id == user_of(request).pk:
        messages.error(
            request, "Your own role stays: ask another admin, so that nobody locks themselves out."
        )
    elif wanted == "remove":
        member.delete()
        messages.success(request, f"{member.user} no longer works in {found}.")
    elif wanted in Role.values:
        found.memberships.filter(pk=member.pk).update(role=wanted)
        messages.success(request, f"{member.user} is {Role(wanted).label} in {found} now.")
    return redirect("members", found.slug)
