"""Credentials at rest."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.db import connection
from pytest_django import Settings

from athena_dash.core import crypto
from athena_dash.practices.models import Connection, Practice

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_was_encrypted_comes_back() -> None:
    assert crypto.decrypt(crypto.encrypt("s3cret ü")) == "s3cret ü"


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert crypto.encrypt("s3cret") != crypto.encrypt("s3cret")


def test_a_new_key_in_front_still_reads_what_the_old_one_wrote(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = crypto.encrypt("s3cret")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert crypto.decrypt(token) == "s3cret"


def test_after_rotation_the_old_key_can_go(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = crypto.encrypt("s3cret")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    token = crypto.rotate(token)
    settings.ENCRYPTION_KEYS = [NEW]
    assert crypto.decrypt(token) == "s3cret"


def test_a_lost_key_is_named_and_the_secret_is_not(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = crypto.encrypt("s3cret")
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(crypto.Undecryptable, match="ATHENA_DASH_ENCRYPTION_KEY"):
        crypto.decrypt(token)


@pytest.mark.django_db
def test_the_column_holds_ciphertext_and_the_model_the_secret() -> None:
    practice = Practice.objects.create(slug="harbor", name="Harbor", athena_id="195900")
    row = Connection.objects.create(
        practice=practice, base_url="http://127.0.0.1", client_id="c", client_secret="s3cret"
    )
    with connection.cursor() as cursor:
        cursor.execute("select client_secret from practices_connection where id = %s", [row.pk])
        stored = cursor.fetchone()[0]
    assert "s3cret" not in stored
    assert Connection.objects.get(pk=row.pk).client_secret == "s3cret"


@pytest.mark.django_db
def test_nobody_can_search_by_a_secret() -> None:
    with pytest.raises(FieldError, match="encrypted"):
        Connection.objects.filter(client_secret="s3cret").exists()
