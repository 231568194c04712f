from __future__ import annotations

import pytest

from integrations.athena.errors import ConfigError
from integrations.athena.origin import read_base_url, read_practice_id


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://api.platform.athenahealth.com", "https://api.platform.athenahealth.com"),
        (" https://API.platform.athenahealth.com/ ", "https://api.platform.athenahealth.com"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://[::1]:8081", "http://[::1]:8081"),
    ],
)
def test_an_address_ends_after_the_host(typed: str, read: str) -> None:
    assert read_base_url(typed) == read


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "missing"),
        ("api.platform.athenahealth.com", "no scheme"),
        ("http://api.platform.athenahealth.com", "https"),
        ("ftp://api.platform.athenahealth.com", "https"),
        ("https://api.platform.athenahealth.com/v1/195900", "leave /v1 out"),
        ("https://api.platform.athenahealth.com/fhir/r4", "leave /fhir out"),
        ("https://api.platform.athenahealth.com/api", "no path"),
        ("https://api.platform.athenahealth.com?x=1", "no parameters"),
        ("https://user:pw@api.platform.athenahealth.com", "user name"),
        ("https://api.athenahealth.com", "retired"),
        ("https://", "not a valid URL"),
        ("https://host:port", "not a valid URL"),
        ("https://ho st", "not a valid URL"),
        ("https://[::1", "not a valid URL"),
        ("https://a\x00b", "not a valid URL"),
    ],
)
def test_each_mistake_in_an_address_gets_its_own_sentence(typed: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_base_url(typed)


@pytest.mark.parametrize("typed", ["", "abc", "195900/../1", "0", "1" * 20, "١٢"])
def test_a_practice_id_is_a_number(typed: str) -> None:
    with pytest.raises(ConfigError, match="number"):
        read_practice_id(typed)
