"""What an admin types about alerts; the webhook's secret is made by us, at the first address."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from athena_dash.operations.alerts.sending import PREFIX
from athena_dash.operations.models import AlertRoute
from athena_dash.practices.forms import clean_base_url


class AlertRouteForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = AlertRoute
        fields = ("email", "webhook_url", "quiet_from", "quiet_to")
        labels = {
            "email": "E-mail",
            "webhook_url": "Webhook URL",
            "quiet_from": "Quiet from",
            "quiet_to": "Quiet to",
        }
        help_texts = {"quiet_to": "What happens in quiet hours is told in one message at their end."}
        field_classes = {"webhook_url": forms.CharField}
        widgets = {
            "webhook_url": forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
            "quiet_from": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "quiet_to": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        }

    def clean_webhook_url(self) -> str:
        url = str(self.cleaned_data["webhook_url"]).strip()
        return clean_base_url(url) if url else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_to") is None):
            raise ValidationError("Quiet hours need both a beginning and an end.")
        return cleaned


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
