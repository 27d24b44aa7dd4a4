"""Configuration that can't be is refused at construction, naming setting, value and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from oauthcore import Allowance, ConfigurationError, Paths, Policy
from tests.core.site import make_site


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "as.example",
        "ftp://as.example",
        "https://",
        "https://as.example?x",
        "https://as.example#x",
        "https://user@as.example",
        'https://as.example/"',
        "https://as.example/ x",
        "https://as.exämple",
        "https://[::1",
        "https://as.example/\n",
    ],
)
def test_an_issuer_that_is_no_plain_https_url_is_refused(issuer: str) -> None:
    """RFC 8414 section 2."""
    with pytest.raises(ConfigurationError, match="use an https URL"):
        make_site(issuer=issuer)


def test_plain_http_is_for_loopback_or_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"issuer = 'http://as.example': use https"):
        make_site(issuer="http://as.example")

    for issuer in ("http://localhost:8000", "http://127.0.0.1", "http://[::1]:1/x"):
        assert make_site(issuer=issuer).server.issuer == issuer
    insecure = Policy.oauth21(allow={Allowance.INSECURE_TRANSPORT})
    assert make_site(issuer="http://as.example", policy=insecure).server.issuer == "http://as.example"


@pytest.mark.parametrize("length", [0, 31, 65])
def test_a_token_key_of_another_length_is_refused_and_not_shown(length: int) -> None:
    with pytest.raises(ConfigurationError, match=f"token_key = '{length} bytes': use 32 random bytes"):
        make_site(token_key=b"k" * length)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"token": "token"}, "paths.token"),
        ({"token": "/to?ken"}, "paths.token"),
        ({"token": "/to ken"}, "paths.token"),
        ({"token": "/a", "revocation": "/a"}, "paths.token"),
    ],
)
def test_a_path_that_can_not_be_is_refused(changes: dict[str, str], setting: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        Paths(**changes)

    assert failure.value.setting == setting


@pytest.mark.parametrize(
    ("settings", "setting", "remedy"),
    [
        ({"grant_types": frozenset({"urn:x"})}, "grant_types", "grants="),
        ({"response_types": frozenset({"code id"})}, "response_types", "use some of code"),
        ({"response_types": frozenset({"id_token"})}, "response_types", "openid=OpenID()"),
    ],
)
def test_a_policy_that_names_what_is_not_there_is_refused(settings: dict[str, Any], setting: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        make_site(policy=Policy(**settings), clients=())

    assert failure.value.setting == setting
    assert remedy in failure.value.remedy
