"""What an admin types about a practice: its connection, its members, its policies."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError

from athena_dash.practices.models import Connection, Practice, Role

# athena's two environments and what each allows a client (athena-api.md §2.0).
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "preview": {
        "base_url": "https://api.preview.platform.athenahealth.com",
        "calls_per_second": 15,
        "calls_per_day": 50_000,
    },
    "production": {
        "base_url": "https://api.platform.athenahealth.com",
        "calls_per_second": 150,
        "calls_per_day": 500_000,
    },
}


def clean_base_url(url: str) -> str:
    """https, or http on this machine only (the sandbox): a secret must not cross a network in the clear."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Enter the whole address, starting with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError("Leave out user names, ? and #: only the scheme, host and path belong here.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValidationError("Use https://: the client secret would travel unencrypted.")
    return parts.geturl().rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ConnectForm(forms.Form):
    """A practice and its connection at once; `connection()` builds them unsaved, to be tested first."""

    name = forms.CharField(max_length=200, label="Practice name")
    athena_id = forms.RegexField(
        r"^-?[0-9]{1,12}$",
        label="athena practice id",
        help_text="The practiceid of athena's API, for example 195900.",
        error_messages={"invalid": "Digits only, as athena gives them."},
    )
    preset = forms.ChoiceField(
        label="Environment",
        choices=[
            ("preview", "Preview (15 calls a second)"),
            ("production", "Production (150 calls a second)"),
        ],
        widget=forms.RadioSelect,
        initial="preview",
    )
    base_url = forms.CharField(
        max_length=500,
        required=False,
        label="Base URL",
        help_text="Leave empty for athena's own address of that environment.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    client_id = forms.CharField(
        max_length=500,
        label="Client id",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        max_length=500,
        label="Client secret",
        help_text="Kept encrypted and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        preset = PRESETS.get(cleaned.get("preset", ""))
        if preset and "base_url" in cleaned:
            try:
                cleaned["base_url"] = clean_base_url(cleaned["base_url"] or preset["base_url"])
            except ValidationError as error:
                self.add_error("base_url", error)
        if not self.errors and _is_connected(cleaned):
            # athena marks a changed feed as read per API key: two readers would each see half (athena-api.md §2.1).
            self.add_error("athena_id", "This practice is connected already with this client id.")
        return cleaned

    def connection(self) -> Connection:
        data = self.cleaned_data
        practice = Practice(name=data["name"], athena_id=data["athena_id"])
        preset = PRESETS[data["preset"]]
        return Connection(
            practice=practice,
            base_url=data["base_url"],
            client_id=data["client_id"],
            client_secret=data["client_secret"],
            calls_per_second=preset["calls_per_second"],
            calls_per_day=preset["calls_per_day"],
        )


def _is_connected(cleaned: Mapping[str, Any]) -> bool:
    same = Connection.objects.filter(base_url=cleaned["base_url"], client_id=cleaned["client_id"])
    return same.filter(practice__athena_id=cleaned["athena_id"]).exists()


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The secret is write-only: an empty field keeps the one that is stored."""

    client_secret = forms.CharField(
        max_length=500,
        required=False,
        label="New client secret",
        help_text="Leave empty to keep the stored one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Connection
        fields = ("base_url", "client_id", "client_secret", "rotate_by", "calls_per_second", "calls_per_day")
        labels = {
            "base_url": "Base URL",
            "client_id": "Client id",
            "rotate_by": "Replace the secret by",
            "calls_per_second": "Calls a second",
            "calls_per_day": "Calls a day",
        }
        help_texts = {
            "rotate_by": "A warning is sent 14, 7 and 1 days before. Leave empty if the secret does not end.",
            "calls_per_second": "Practices of the same client id share the highest of theirs.",
        }
        field_classes = {"base_url": forms.CharField}
        widgets = {
            "base_url": forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
            "client_id": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            "rotate_by": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }

    def clean_base_url(self) -> str:
        return clean_base_url(self.cleaned_data["base_url"])

    def clean_client_secret(self) -> str:
        return str(self.cleaned_data["client_secret"] or self.instance.client_secret)

    def _budget(self, name: str) -> int:
        value: int = self.cleaned_data[name]
        if value < 1:
            raise ValidationError("At least 1; pause the practice to stop all calls.")
        return value

    def clean_calls_per_second(self) -> int:
        return self._budget("calls_per_second")

    def clean_calls_per_day(self) -> int:
        return self._budget("calls_per_day")


class MemberForm(forms.Form):
    username = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"})
    )
    role = forms.ChoiceField(choices=Role.choices)
