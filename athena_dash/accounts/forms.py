"""The sign-in form: one message whatever was wrong, so that it tells nobody which usernames exist."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from athena_dash.accounts import throttle

REFUSED = "That username and password do not go together. Check both; capitals count in the password."
PAUSED = "Too many attempts. Wait 15 minutes, or ask an admin."


class SignInForm(AuthenticationForm):
    error_messages = {"invalid_login": REFUSED, "inactive": REFUSED}

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].widget = forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        )
        self.address = request.META.get("REMOTE_ADDR", "")

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username", "")
        if throttle.exhausted(username, self.address):
            raise ValidationError(PAUSED, code="throttled")
        try:
            cleaned = super().clean()
        except ValidationError:
            throttle.count_failure(username, self.address)
            raise
        throttle.forget(username, self.address)
        return cleaned or {}
