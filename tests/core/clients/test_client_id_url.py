"""Which client identifiers are URLs that a metadata document may be at, and whose are taken (F1 and F5)."""

from __future__ import annotations

import pytest

from oauthcore import ClientIdMetadata, ConfigurationError, LoopbackDocuments
from oauthcore.client_id_metadata import MAX_URL, is_document_url


@pytest.mark.parametrize(
    "url",
    [
        "https://client.example/a",
        "https://client.example/oauth/client.json",
        "https://client.example/a/",
        "https://client.example:8443/a",
        "https://xn--bcher-kva.example/%E2%82%AC",
        "https://client.example/a..b/.well-known/x~y",
        "https://client.example//a",
    ],
)
def test_f1_an_https_url_with_a_path_may_be_a_client(url: str) -> None:
    assert is_document_url(url)


@pytest.mark.parametrize(
    "client_id",
    [
        "client",
        "",
        "http://client.example/a",
        "HTTPS://client.example/a",
        "https:/client.example/a",
        "https://client.example",
        "https://client.example/",
        "https://client.example?a",
        "https://client.example/a?b",
        "https://client.example/a?",
        "https://client.example/a#b",
        "https://client.example/a#",
        "https://user@client.example/a",
        "https://user:word@client.example/a",
        "https://client.example@evil.example/a",
        "https://@client.example/a",
        "https://client.example/./a",
        "https://client.example/a/..",
        "https://client.example/../a",
        "https://client.example/a/%2E%2E/b",
        "https://client.example/a/%2e%2e/b",
        "https://client.example/a%2Fb",
        "https://client.example/a%5Cb",
        "https://client.example/%61",
        "https://client.example/a%00",
        "https://client.example/a%0D%0Ab",
        "https://client.example/a%252F",
        "https://client.example/a%e2",
        "https://client.example/a%zz",
        "https://client.example/a%",
        "https://client.example\\@evil.example/a",
        "https://client.example/a\\b",
        "https://client.example/a b",
        "https://client.example/a\n",
        "https://client.example/\u00e4",
        "https://Client.example/a",
        "https://b\u00fccher.example/a",
        "https://client\u3002example/a",
        "https://client.\uff45xample/a",
        "https://client.example./a",
        "https://client..example/a",
        "https://.client.example/a",
        "https://-client.example/a",
        "https://client_.example/a",
        "https://%63lient.example/a",
        "https://client/a",
        "https://localhost/a",
        "https://client.example:/a",
        "https://client.example:443/a",
        "https://client.example:0443/a",
        "https://client.example:80a/a",
        "https://client.example:123456/a",
        "https://127.0.0.1/a",
        "https://8.8.8.8/a",
        "https://8.8.2056/a",
        "https://134744072/a",
        "https://0x08.8.8.0x8/a",
        "https://[::1]/a",
        "https://[2606:4700::1111]/a",
        "https:///a",
        "https://client.example/" + "a" * MAX_URL,
    ],
)
def test_f1_anything_else_is_an_identifier_like_any_other(client_id: str) -> None:
    assert not is_document_url(client_id)


LOOPBACK = ["http://localhost:8000/a", "http://127.0.0.1/a", "https://localhost/a", "http://[::1]:8000/a"]


@pytest.mark.parametrize("url", LOOPBACK)
def test_f5_a_loopback_host_is_taken_by_the_switch_for_tests_alone(url: str) -> None:
    assert not ClientIdMetadata().admits(url)
    assert ClientIdMetadata(loopback=LoopbackDocuments()).admits(url)


@pytest.mark.parametrize("url", ["http://client.example/a", "http://localhost.evil.example/a", "http://localhost/"])
def test_f5_the_switch_opens_nothing_but_loopback(url: str) -> None:
    assert not ClientIdMetadata(loopback=LoopbackDocuments()).admits(url)


def test_f5_hosts_that_are_not_allowed_are_not_taken() -> None:
    settings = ClientIdMetadata(allowed_hosts=["client.example", "*.other.example"])

    assert settings.admits("https://client.example/a")
    assert settings.admits("https://deep.down.other.example/a")
    assert not settings.admits("https://other.example/a")
    assert not settings.admits("https://evilother.example/a")
    assert not settings.admits("https://client.example.evil.example/a")
    assert not settings.admits("https://sub.client.example/a")


def test_f5_a_denied_host_is_not_taken_though_it_is_allowed() -> None:
    settings = ClientIdMetadata(allowed_hosts=["*.example"], denied_hosts=["evil.example", "*.evil.example"])

    assert settings.admits("https://client.example/a")
    assert not settings.admits("https://evil.example/a")
    assert not settings.admits("https://a.evil.example/a")


def test_f5_a_function_of_the_hosts_has_the_last_word() -> None:
    called: list[str] = []

    def trust(url: str) -> bool:
        """Trust one client alone."""
        called.append(url)
        return url == "https://client.example/a"

    settings = ClientIdMetadata(trust=trust, denied_hosts=["evil.example"])

    assert settings.admits("https://client.example/a")
    assert not settings.admits("https://client.example/b")
    assert not settings.admits("https://evil.example/a")
    assert not settings.admits("http://client.example/a")
    assert called == ["https://client.example/a", "https://client.example/b"]


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"allowed_hosts": ["https://client.example"]}, "allowed_hosts"),
        ({"allowed_hosts": ["*"]}, "allowed_hosts"),
        ({"allowed_hosts": "client.example"}, "allowed_hosts"),
        ({"denied_hosts": ["Evil.example"]}, "denied_hosts"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "grant_types"),
        ({"grant_types": ["refresh_token"]}, "grant_types"),
        ({"min_fresh": 0}, "min_fresh, max_fresh"),
        ({"min_fresh": 60, "max_fresh": 30}, "min_fresh, max_fresh"),
        ({"new_per_minute": 0}, "new_per_minute"),
        ({"loopback": True}, "loopback"),
    ],
)
def test_settings_that_can_not_be_are_named(settings: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ClientIdMetadata(**settings)  # type: ignore[arg-type]  # that is the point

    assert caught.value.setting == name
