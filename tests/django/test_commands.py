"""`manage.py oauth_client` and `oauth_purge`."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from oauthcore import Client
from oauthcore.digest import Digester, Secret
from oauthcore.flow.outcome import Insert
from oauthcore_django.storage import DjangoStorage

ISSUER = "https://as.example"
CB = "https://app.example/cb"


def register(*arguments: str, issuer: str = ISSUER) -> str:
    """Run the command; give what it says."""
    said = StringIO()
    call_command("oauth_client", *arguments, "--redirect-uri", CB, "--issuer", issuer, stdout=said)
    return said.getvalue()


def client(client_id: str) -> Client:
    found = DjangoStorage().find(Client, client_id)
    assert found is not None
    return found


def digest(secret: str, issuer: str = ISSUER) -> str:
    return Digester(issuer)("client_secret", Secret(secret))


def test_client_is_registered_and_its_secret_shown_once() -> None:
    said = dict(line.split() for line in register("app", "--scope", "profile email").splitlines())

    assert said["client_id"] == "app"
    assert [secret.digest for secret in client("app").secrets] == [digest(said["client_secret"])]
    assert client("app").scope.text == "profile email"
    assert client("app").grant_types == ("authorization_code", "refresh_token")


@pytest.mark.parametrize(("scope", "reads"), [("openid email", "all"), ("email", "requested")])
def test_client_may_send_its_secret_as_it_likes_and_reads_its_id_tokens(scope: str, reads: str) -> None:
    register("app", "--scope", scope)

    assert client("app").authentication_methods == ("client_secret_basic", "client_secret_post")
    assert client("app").id_token_claims == reads


def test_secret_that_is_known_already_is_taken_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "the-secret-of-the-app")

    assert "secret" not in register("app", issuer="https://other.example/t")
    assert client("app").secrets[0].digest == digest("the-secret-of-the-app", "https://other.example/t")


def test_secret_that_is_short_is_refused_unless_a_setting_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "fifteen-letters")

    with pytest.raises(CommandError, match="at least 16 characters") as refused:
        register("app")
    monkeypatch.setattr(settings, "OAUTHCORE_MINIMUM_SECRET_LENGTH", 15, raising=False)
    register("app")

    assert "fifteen-letters" not in str(refused.value)
    assert client("app").has_secret


def test_secret_that_can_be_guessed_is_warned_of_unseen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "letmeinletmeinle")

    register("app")

    warned = capsys.readouterr().err
    assert "OAUTH_CLIENT_SECRET: it has " in warned
    assert "letmein" not in warned


def test_public_client_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "of another")

    assert "secret" not in register("phone", "--public", "--grant-type", "authorization_code")
    assert client("phone").is_public
    assert client("phone").grant_types == ("authorization_code",)


def test_client_that_can_not_be_is_named() -> None:
    register("app")

    with pytest.raises(CommandError, match="client_id = 'app'"):
        register("app")


def test_one_of_several_servers_is_named() -> None:
    with pytest.raises(CommandError, match=r"has https://as\.example, https://other\.example/t"):
        call_command("oauth_client", "app")


def test_what_has_expired_is_removed() -> None:
    storage, said = DjangoStorage(), StringIO()
    assert storage.commit([Insert(Client(client_id=str(number), expires_at=number)) for number in range(600)])
    assert storage.commit([Insert(Client(client_id="lasting"))])

    call_command("oauth_purge", stdout=said)

    assert said.getvalue() == "removed 600\n"
    assert storage.find(Client, "lasting") is not None


def test_what_has_just_expired_stays_as_clocks_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    storage, said = DjangoStorage(), StringIO()
    assert storage.commit([Insert(Client(client_id=str(second), expires_at=second)) for second in (999, 1_000)])
    monkeypatch.setattr("oauthcore_django.management.commands.oauth_purge.time.time", lambda: 1_300.0)

    call_command("oauth_purge", stdout=said)

    assert said.getvalue() == "removed 1\n"
    assert storage.find(Client, "1000") is not None


def test_client_is_registered_again_where_that_is_asked_for() -> None:
    register("app", "--scope", "profile")

    with pytest.raises(CommandError, match="it is taken"):
        register("app", "--scope", "email")
    register("app", "--scope", "email", "--replace")

    assert client("app").scope.text == "email"
