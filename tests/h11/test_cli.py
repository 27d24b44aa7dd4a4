"""The command line: each command does one thing and says so, to people and to programs."""

from __future__ import annotations

import getpass
import io
import json
import logging
import stat
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import Client
from oauthcore.flow.outcome import Insert
from oauthcore.records.grant import Grant
from oauthcore.storage.purging import BATCH
from oauthcore_h11.cli import main
from oauthcore_h11.cli.client_settings import ClientSettings
from oauthcore_h11.cli.commands import app
from oauthcore_sqlite import SqliteStorage
from tests.core.signing_keys import key_for
from tests.h11.installation import with_any_password
from tests.processes import run
from tests.sqlite.things import Thing, grant_of

pytestmark = pytest.mark.slow

DECLARED = """
[[clients]]
client_id = "declared"
secret = "s"
grant_types = ["client_credentials"]

[[users]]
username = "declared"
password_hash = "{password_hash}"
"""


class Shell:
    """Run commands in a folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str, typed: str = "", status: int = 0) -> str:
        """Run a command; give what it said, or complained."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said, complained = self._capsys.readouterr()
        assert ended.value.code == status, complained
        return said if status == 0 else complained

    def ask(self, *arguments: str, typed: str = "") -> Any:
        """Run a command; give what it said as JSON."""
        return json.loads(self.run(*arguments, "--json", typed=typed))


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Return a shell in a folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    made = Shell(capsys, monkeypatch)
    made.run("init")
    config = tmp_path / "oauthcore.toml"
    config.write_text(with_any_password(config.read_text(encoding="utf-8")), encoding="utf-8")
    yield made
    root.handlers[:] = handlers
    root.setLevel(level)


def storage() -> SqliteStorage:
    return SqliteStorage("oauthcore.db")


def stored(work: Callable[[SqliteStorage], Any]) -> Any:
    """Look into the storage, or put something in."""
    opened = storage()
    try:
        return work(opened)
    finally:
        opened.close()


def test_configuration_is_written_for_its_owner_alone_and_never_over_another(shell: Shell) -> None:
    text = Path("oauthcore.toml").read_text()

    complaint = shell.run("init", status=2)

    assert stat.S_IMODE(Path("oauthcore.toml").stat().st_mode) == 0o600
    assert complaint == "oauthcore: --config = 'oauthcore.toml': it exists already; remove it, or name another\n"
    assert Path("oauthcore.toml").read_text() == text
    assert (
        shell.ask("init", "--config", "other.toml", "--issuer", "https://as.example")["issuer"] == "https://as.example"
    )
    assert Path("other.toml").read_text() != text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--issuer", "http://as.example"), "issuer = 'http://as.example': use https"),
        (("--config", "nowhere/a.toml"), "it can't be written (No such file or directory)"),
    ],
)
def test_configuration_that_can_not_be_written_is_named(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert said in shell.run("init", *arguments, status=2)


@pytest.mark.parametrize(("option", "is_on"), [("--openid", True), ("--no-openid", False), (None, False)])
def test_configuration_says_whether_the_server_is_a_provider(shell: Shell, option: str | None, is_on: bool) -> None:
    written = shell.ask("init", "--config", "new.toml", *([] if option is None else [option]))
    checked = shell.run("check", "--config", "new.toml")

    assert written["openid"] is is_on
    assert ("OpenID Connect is on." in checked) is is_on
    assert ("OpenID Connect is off; the table [oidc] in the file turns it on." in checked) is not is_on


@pytest.mark.parametrize(("typed", "is_on"), [("\n", True), ("y\n", True), ("what?\nNo\n", False)])
def test_on_a_terminal_it_is_asked_whether_to_be_a_provider(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: str, is_on: bool
) -> None:
    monkeypatch.setattr(io, "StringIO", lambda text: Terminal(text))

    said = shell.run("init", "--config", "new.toml", typed=typed)

    assert ('--scope "openid profile email"' in said) is is_on
    assert ("OpenID Connect is on." in said) is is_on
    assert "--openid = None: say yes or no" in shell.run("init", "--config", "other.toml", typed="", status=2)


def test_declared_client_that_asks_for_openid_where_that_is_off_is_warned_of(shell: Shell) -> None:
    with Path("oauthcore.toml").open("a") as file:
        file.write("[[clients]]\nclient_id = 'rp'\nsecret = 'a-secret-that-is-long-enough-to-be-one'\n")
        file.write("redirect_uris = ['https://a.example/cb']\nscope = 'openid'\n")

    [warning] = shell.ask("check")["warnings"]

    assert warning == "clients[1].scope has openid, and OpenID Connect is off: add the table [oidc]"


def test_remedies_are_in_the_words_of_the_file(shell: Shell) -> None:
    file = Path("oauthcore.toml")
    file.write_text(file.read_text().replace("http://localhost:8000", "http://as.example"))

    complaint = shell.run("check", status=2)

    assert 'use https, or allow it in the policy: allow = ["insecure_transport"]' in complaint
    assert "Allowance." not in complaint


def test_good_configuration_is_called_good(shell: Shell) -> None:
    assert shell.run("check").startswith("oauthcore.toml is good: http://localhost:8000")
    assert shell.ask("check")["bind"] == ["localhost:8000"]
    assert shell.ask("check")["warnings"] == []


def test_check_warns_of_a_configuration_that_everybody_can_read(shell: Shell) -> None:
    Path("oauthcore.toml").chmod(0o644)

    assert "\nwarning: everybody on this machine can read oauthcore.toml (mode 0644)" in shell.run("check")
    (warning,) = shell.ask("check")["warnings"]
    assert warning.endswith("which holds token_key: chmod o= oauthcore.toml")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[[clients]]\nclient_id = 'a'\n", "clients[1].secret = None: set it, or token_endpoint_auth_method"),
        ("[[clients]]\nclient_id = 'a b'\nsecret = 's'\n", "clients[1].client_id = 'a b': use printable ASCII"),
        ("[[users]]\nusername = 'a'\npassword_hash = 'hush'\n", "users[1].password_hash = Secret(): use a hash"),
        ("[pages]\naccent = 'red'\n", "pages.accent = 'red': use a colour"),
        ("[pages]\nlogo = 'logo.svg'\n", "pages.logo = "),
        ("[pages]\nlogo = 'oauthcore.toml'\n", "pages.logo = 'oauthcore.toml': use a file of up to 100000 bytes"),
        ("[pages]\ntemplates = 'nowhere'\n", "pages.templates = "),
        ("[paths]\nlogout = '/account'\n", "paths.account = '/account': give each page a path of its own"),
        ("[tls]\ncertificate = 'a'\nkey = 'b'\n", "tls.certificate = "),
        ("[outgoing]\nextra_ca_file = 'a'\n", "outgoing.extra_ca_file = "),
        ("[outgoing]\nextra_ca_file = 'oauthcore.toml'\n", "name a file of PEM certificates"),
        ("[outgoing]\nprivate_hosts = ['10.1.0.0/33']\n", "outgoing.private_hosts = '10.1.0.0/33': use a network"),
    ],
)
def test_configuration_that_can_not_be_is_one_line(shell: Shell, more: str, said: str) -> None:
    with Path("oauthcore.toml").open("a") as file:
        file.write(more)

    complaint = shell.run("check", status=2)

    assert complaint.startswith("oauthcore: ")
    assert said in complaint
    assert complaint.count("\n") == 1
    assert "hush" not in complaint


def test_what_is_declared_twice_is_named(shell: Shell) -> None:
    client = "[[clients]]\nclient_id = 'a'\nsecret = 's'\ngrant_types = ['client_credentials']\n"
    with Path("oauthcore.toml").open("a") as file:
        file.write(client + client)

    assert "clients[2].client_id = 'a': it is declared twice" in shell.run("check", status=2)


@pytest.mark.parametrize("key", ["short", "ä" * 43, "!" * 43])
def test_token_key_that_is_none_is_named_unseen(shell: Shell, key: str) -> None:
    Path("other.toml").write_text(f'issuer = "https://as.example"\ntoken_key = "{key}"\n')

    complaint = shell.run("check", "--config", "other.toml", status=2)

    assert "token_key = Secret(): use 32 to 64 random bytes in base64url" in complaint


def test_logo_from_a_file_goes_into_the_page(shell: Shell) -> None:
    Path("logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    Path("templates").mkdir()
    with Path("oauthcore.toml").open("a") as file:
        file.write("[pages]\nlogo = 'logo.svg'\ntemplates = 'templates'\n")

    assert "is good" in shell.run("check")


def test_client_is_registered_and_its_secret_shown_once(shell: Shell) -> None:
    added = shell.ask("client", "add", "app", "--redirect-uri", "https://a.example/cb", "--scope", "email  profile")
    said = shell.run("client", "add", "--public", "--redirect-uri", "https://a.example/cb", "--default-scope", "")

    assert len(added["client_secret"]) == 43
    assert said.startswith("client_id     ")
    assert "client_secret" not in said
    listed = shell.ask("client", "list")
    assert {row["client_id"] for row in listed} >= {"app"}
    assert added["client_secret"] not in json.dumps(listed) + shell.run("client", "show", "app")
    assert shell.ask("client", "show", "app")["scope"] == ["email", "profile"]
    assert "shown only this once" in shell.run("client", "add", "other", "--grant-type", "client_credentials")


REDIRECT = ("--redirect-uri", "https://a.example/cb")
OPENID = (*REDIRECT, "--scope", "openid profile email")


def test_client_that_asks_for_openid_where_that_is_off_is_told_so(shell: Shell) -> None:
    said = shell.run("client", "add", "rp", *OPENID)

    assert "OpenID Connect is off here" in said
    assert "ID tokens" not in said


def test_client_of_a_provider_is_told_what_its_library_will_meet(shell: Shell) -> None:
    with Path("oauthcore.toml").open("a") as file:
        file.write("[oidc]\n")

    said = shell.run("client", "add", "rp", *OPENID)
    shell.run(
        "client", "add", "other", *OPENID, "--id-token-claims", "requested", "--auth-method", "client_secret_post"
    )

    assert "It may send the secret in the Authorization header or in the form" in said
    assert "What profile and email stand for is in its ID tokens, as well as at UserInfo" in said
    assert "It has to send PKCE (code_challenge), or a nonce with scope openid" in said
    plain, kept = (shell.ask("client", "show", name) for name in ("rp", "other"))
    assert (plain["token_endpoint_auth_method"], plain["id_token_claims"]) == (None, "all")
    assert (kept["token_endpoint_auth_method"], kept["id_token_claims"]) == ("client_secret_post", "requested")


def test_client_for_plain_oauth_is_told_of_no_id_token(shell: Shell) -> None:
    notes = shell.ask("client", "add", "app", *REDIRECT, "--scope", "email")["notes"]

    assert [note for note in notes if "ID token" in note or "nonce" in note or "openid" in note.lower()] == []
    assert any("It has to send PKCE (code_challenge);" in note for note in notes)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("app",), "redirect_uris = (): register at least one"),
        (("a", "--scope", 'a"b'), "--scope = 'a\"b': use scope tokens"),
        (("a", "--allow", "everything"), "--allow = 'everything': use one of"),
        (("a", "--redirect-uri", "https://a.example/cb", "--auth-method", "psychic"), "psychic"),
    ],
)
def test_client_that_can_not_be_is_named(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert said in shell.run("client", "add", *arguments, status=2)


def test_client_may_be_registered_for_other_response_types(shell: Shell) -> None:
    """OIDC Core section 3; the policy of a provider offers them."""
    with Path("oauthcore.toml").open("a") as file:
        file.write("[oidc]\n")
    redirect = ("--redirect-uri", "https://app.example/callback", "--scope", "openid")
    grants = ("--grant-type", "authorization_code", "--grant-type", "implicit")

    shell.run("client", "add", "app", *redirect, *grants, "--response-type", "code id_token")

    assert shell.ask("client", "show", "app")["response_types"] == ["code id_token"]
    assert "response_types" in shell.run("client", "add", "b", *redirect, "--response-type", "nonsense", status=2)


def test_client_may_have_to_push_its_requests_where_the_server_takes_them(shell: Shell) -> None:
    asked = (
        "client",
        "add",
        "app",
        "--redirect-uri",
        "https://a.example/",
        "--auth-method",
        "none",
        "--require-pushed",
    )
    refused = shell.run(*asked, status=2)
    file = Path("oauthcore.toml")
    file.write_text(file.read_text() + "\n[pushed_requests]\n")

    assert "require_pushed_authorization_requests = True" in refused
    assert shell.ask(*asked)["client_id"] == "app"
    assert shell.ask("client", "show", "app")["require_pushed_authorization_requests"] is True


def test_a_client_that_has_to_prove_a_key_is_added_where_proofs_are_taken(shell: Shell) -> None:
    asked = ("client", "add", "app", "--redirect-uri", "https://a.example/", "--auth-method", "none", "--dpop-bound")

    refused = shell.run(*asked, status=2)
    file = Path("oauthcore.toml")
    file.write_text(file.read_text() + "\n[dpop]\n")

    assert "dpop_bound_access_tokens = True" in refused
    assert shell.ask(*asked)["client_id"] == "app"
    assert shell.ask("client", "show", "app")["dpop_bound_access_tokens"] is True


def test_client_with_a_certificate_gets_no_secret(shell: Shell) -> None:
    asked = ("client", "add", "app", "--grant-type", "client_credentials", "--auth-method", "tls_client_auth")
    refused = shell.run(*asked, "--tls-subject-dn", "CN=app", status=2)
    file = Path("oauthcore.toml")
    file.write_text(file.read_text() + "\n[mutual_tls]\n")

    assert "token_endpoint_auth_method = 'tls_client_auth'" in refused
    assert "exactly one" in shell.run(*asked, status=2)
    assert shell.ask(*asked, "--tls-subject-dn", "CN=app,O=Example") == {"client_id": "app"}
    assert shell.ask("client", "show", "app")["tls_client_auth_subject_dn"] == "CN=app,O=Example"
    shell.run("client", "update", "app", "--tls-subject-dn", "", "--tls-san-uri", "spiffe://example/app")
    assert shell.ask("client", "show", "app")["tls_client_auth_san_uri"] == "spiffe://example/app"


def test_client_with_keys_of_its_own_gets_no_secret(shell: Shell, tmp_path: Path) -> None:
    keys = tmp_path / "client.jwks"
    keys.write_text(json.dumps({"keys": [key_for("ES256").public.members]}))
    said = shell.run(
        *("client", "add", "keyed", "--grant-type", "client_credentials"),
        *("--auth-method", "private_key_jwt", "--auth-signing-alg", "ES256", "--jwks-file", str(keys)),
    )
    published = shell.ask(
        *("client", "add", "published", "--grant-type", "client_credentials", "--auth-method", "private_key_jwt"),
        *("--jwks-uri", "https://a.example/jwks", "--request-uri", "https://a.example/request.jwt"),
        *("--request-signing-alg", "ES256", "--require-signed-request"),
    )

    assert "client_secret" not in said and published == {"client_id": "published"}
    shown = shell.ask("client", "show", "published")
    assert (shown["request_object_signing_alg"], shown["require_signed_request_object"]) == ("ES256", True)
    assert (shown["jwks_uri"], shown["request_uris"]) == ("https://a.example/jwks", ["https://a.example/request.jwt"])
    assert json.loads(shell.ask("client", "show", "keyed")["jwks"]) == json.loads(keys.read_text())
    missing = ("client", "add", "a", "--auth-method", "private_key_jwt", "--jwks-file", "nowhere")
    assert "--jwks-file" in shell.run(*missing, status=2)
    assert "name a registered client" in shell.run("client", "rotate-secret", "keyed", status=2)


def test_secret_that_signs_is_said_to_be_kept_sealed(shell: Shell) -> None:
    added = ("client", "add", "app", "--grant-type", "client_credentials", "--auth-method", "client_secret_jwt")

    assert "stored sealed" in shell.run(*added)
    assert all(secret.sealed for secret in stored(lambda opened: opened.find(Client, "app")).secrets)


def test_declared_client_has_its_keys_in_a_file(shell: Shell, tmp_path: Path) -> None:
    # With a byte order mark, as editors on Windows write it.
    keys = json.dumps({"keys": [key_for("ES256").public.members]})
    (tmp_path / "keys.jwks").write_text(keys, encoding="utf-8-sig")
    table = "[[clients]]\nclient_id = 'keyed'\ntoken_endpoint_auth_method = 'private_key_jwt'\n"
    table += "grant_types = ['client_credentials']\n"
    config = tmp_path / "oauthcore.toml"
    before = config.read_text()

    config.write_text(before + table + "jwks_file = 'keys.jwks'\n")
    assert "is good" in shell.run("check")
    assert shell.ask("client", "show", "keyed")["declared"] is True
    config.write_text(before + table)
    assert "clients[1].jwks_uri = None: set it, or jwks" in shell.run("check", status=2)
    config.write_text(before + table + "jwks_file = 'nowhere'\n")
    assert "clients[1].jwks_file" in shell.run("check", status=2)


def test_secret_is_rotated_with_an_overlap(shell: Shell) -> None:
    before = shell.ask("client", "add", "app", "--grant-type", "client_credentials", "--allow", "plain_pkce")
    after = shell.ask("client", "rotate-secret", "app", "--overlap", "60")

    assert before["client_secret"] != after["client_secret"]
    assert len(stored(lambda opened: opened.find(Client, "app")).secrets) == 2
    assert "The old one stays valid for 86400 seconds." in shell.run("client", "rotate-secret", "app")
    assert "--overlap = -1" in shell.run("client", "rotate-secret", "app", "--overlap=-1", status=2)


def test_client_is_removed(shell: Shell) -> None:
    shell.run("client", "add", "app", "--grant-type", "client_credentials")

    assert shell.run("client", "remove", "app") == "app is removed, and everything that was issued to it is revoked.\n"
    assert "there is no such client" in shell.run("client", "remove", "app", status=2)
    assert "there is no such client" in shell.run("client", "show", "app", status=2)


def test_client_that_is_removed_leaves_nothing_to_the_next_of_its_name(shell: Shell) -> None:
    for name in ("app", "other"):
        shell.run("client", "add", name, "--grant-type", "client_credentials")

    def grant_to_each(opened: SqliteStorage) -> None:
        """Have somebody allow each of them something."""
        for client in opened.every(Client):
            grant = standing(client.client_id, "s-1", client.client_id)
            opened.commit([Insert(attrs.evolve(grant, client_generation=client.generation))])

    stored(grant_to_each)
    assert len(shell.ask("grant", "list")) == 2

    shell.run("client", "remove", "app")
    assert [row["client_id"] for row in shell.ask("grant", "list")] == ["other"]

    shell.run("client", "add", "app", "--grant-type", "client_credentials")
    assert [row["client_id"] for row in shell.ask("grant", "list")] == ["other"]


def test_client_is_updated_and_what_is_not_named_stays(shell: Shell) -> None:
    shell.run("client", "add", "app", "--redirect-uri", "https://a.example/cb", "--scope", "email", "--name", "App")
    before = shell.ask("client", "show", "app")

    said = shell.run("client", "update", "app", "--scope", "email profile", "--redirect-uri", "https://b.example/cb")

    assert said == "app is updated.\n"
    changes = {"scope": ["email", "profile"], "redirect_uris": ["https://b.example/cb"]}
    assert shell.ask("client", "show", "app") == before | changes
    assert shell.ask("client", "update", "app", "--name", "") == {"client_id": "app", "updated": ["name"]}
    assert shell.ask("client", "show", "app")["name"] is None
    assert "register at least one" in shell.run("client", "update", "app", "--redirect-uri", "", status=2)


def test_client_is_told_to_have_claims_in_its_id_tokens_and_not_to(shell: Shell) -> None:
    shell.run("client", "add", "app", "--redirect-uri", "https://a.example/cb", "--scope", "openid email")

    told = []
    for words in ("requested", "all"):
        shell.run("client", "update", "app", "--id-token-claims", words)
        told.append(shell.ask("client", "show", "app")["id_token_claims"])

    assert told == ["requested", "all"]


def test_every_option_of_a_client_sets_a_field_of_its_record() -> None:
    assert {field.name for field in attrs.fields(ClientSettings)} <= {field.name for field in attrs.fields(Client)}


def test_client_says_what_becomes_of_a_scope_that_is_not_known(shell: Shell) -> None:
    shell.run("client", "add", "app", "--redirect-uri", "https://a.example/cb", "--unknown-scope", "refuse")
    assert shell.ask("client", "show", "app")["unknown_scope"] == "refuse"

    shell.run("client", "update", "app", "--unknown-scope", "ignore")
    assert shell.ask("client", "show", "app")["unknown_scope"] == "ignore"

    shell.run("client", "update", "app", "--unknown-scope", "")
    assert shell.ask("client", "show", "app")["unknown_scope"] is None
    assert "ignore_in_openid" in shell.run("client", "update", "app", "--unknown-scope", "maybe", status=2)


def test_native_application_is_added_by_the_name_of_what_it_takes(shell: Shell) -> None:
    asked = ("client", "add", "app", "--public", "--redirect-uri", "cursor://x/cb")

    assert "allow one_word_scheme" in shell.run(*asked, status=2)
    shell.run(*asked, "--allow", "one_word_scheme")

    assert shell.ask("client", "show", "app")["redirect_uris"] == ["cursor://x/cb"]


def test_client_that_comes_to_need_another_secret_is_told_it_once(shell: Shell) -> None:
    shell.run("client", "add", "app", "--redirect-uri", "https://a.example/cb")

    assert "is shown only this once" in shell.run("client", "update", "app", "--auth-method", "client_secret_jwt")


def test_client_is_disabled_and_enabled(shell: Shell) -> None:
    shell.run("client", "add", "app", "--grant-type", "client_credentials")

    assert shell.run("client", "disable", "app") == "app is disabled.\n"
    assert shell.ask("client", "show", "app")["enabled"] is False
    assert shell.ask("client", "enable", "app") == {"client_id": "app", "enabled": True}
    assert "there is no such client" in shell.run("client", "disable", "nobody", status=2)


@pytest.mark.parametrize(("words", "seconds"), [((), 3_600), (("--for", "90s"), 90), (("--for", "2d"), 172_800)])
def test_errors_of_a_client_are_explained_for_a_while(shell: Shell, words: tuple[str, ...], seconds: int) -> None:
    shell.run("client", "add", "app", "--redirect-uri", "https://app.example/callback")
    before = int(time.time())

    until = json.loads(shell.run("client", "explain", "app", *words, "--json"))["explain_until"]

    assert 0 <= datetime.fromisoformat(until).timestamp() - before - seconds <= 60
    assert json.loads(shell.run("client", "show", "app", "--json"))["explain_until"] == until
    assert "no more" in shell.run("client", "explain", "app", "--for", "0")


@pytest.mark.parametrize("duration", ["8d", "1y", "-1", "", "1.5h", "99999999s"])
def test_errors_are_explained_for_no_longer_than_a_week(shell: Shell, duration: str) -> None:
    assert "--for" in shell.run("client", "explain", "app", f"--for={duration}", status=2)


def test_user_is_added_with_a_password_from_a_pipe_or_a_generated_one(shell: Shell) -> None:
    piped = shell.ask("user", "add", "alice", typed="wonderland\n")
    generated = shell.ask("user", "add", "Bob", "--generate", "--subject", "s-2")
    said = shell.run("user", "set-password", "bob", "--generate")

    assert "password" not in piped
    assert (generated["subject"], len(generated["password"])) == ("s-2", 22)
    assert "The password is shown only this once" in said
    assert [row["username"] for row in shell.ask("user", "list")] == ["alice", "Bob"]
    assert "it is taken" in shell.run("user", "add", "ALICE", typed="x\n", status=2)
    assert "password = Secret(): use at least 1 " in shell.run("user", "add", "carol", typed="\n", status=2)
    assert "there is no such user" in shell.run("user", "set-password", "carol", typed="x\n", status=2)


class Terminal(io.StringIO):
    """Be where somebody types."""

    def isatty(self) -> bool:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Say so."""
        return True


def test_an_option_without_its_value_takes_no_other_option_for_it(shell: Shell) -> None:
    assert "--subject" in shell.run("user", "add", "bob", "--subject", "--generate", status=2)
    assert shell.ask("user", "list") == [row for row in shell.ask("user", "list") if row["username"] != "bob"]


@pytest.mark.parametrize(("again", "status"), [("wonderland", 0), ("wonderlant", 2)])
def test_password_is_asked_for_twice_on_a_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, again: str, status: int
) -> None:
    typed = iter(["wonderland", again])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    monkeypatch.setattr(io, "StringIO", lambda text: Terminal(text))

    said = shell.run("user", "add", "alice", status=status)

    assert ("the two passwords differ" in said) is (status == 2)


def test_end_of_typing_is_no_password(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", end)
    monkeypatch.setattr(io, "StringIO", lambda text: Terminal(text))

    assert "password = None: type one" in shell.run("user", "add", "alice", status=2)


def test_user_who_is_removed_has_nothing_authorized_any_more(shell: Shell) -> None:
    shell.run("user", "add", "alice", "--subject", "s-1", typed="x\n")
    stored(lambda opened: opened.commit((Insert(standing("1", "s-1")),)))

    assert "everything they authorized is revoked" in shell.run("user", "remove", "alice")
    assert shell.ask("grant", "list") == []
    assert shell.ask("user", "list") == []


def standing(key: str, subject: str, client_id: str = "c") -> Grant:
    return attrs.evolve(grant_of(subject, key), expires_at=2**33, client_id=client_id)


def test_grants_are_listed_and_revoked(shell: Shell) -> None:
    shell.run("user", "add", "alice", "--subject", "s-1", typed="x\n")
    grants = (standing("1", "s-1"), standing("2", "s-1", "d"), standing("3", "s-2"), grant_of("s-2", "4"))
    clients = (Client(client_id="c"), Client(client_id="d"))
    stored(lambda opened: opened.commit([Insert(record) for record in (*clients, *grants)]))

    def keys(*arguments: str) -> list[str]:
        return [row["grant"] for row in shell.ask("grant", "list", *arguments)]

    assert keys() == ["1", "2", "3"]
    assert keys("--all") == ["1", "2", "3", "4"]
    assert keys("--user", "Alice") == ["1", "2"]
    assert keys("--subject", "s-2") == ["3"]
    assert keys("--client", "d") == ["2"]
    assert shell.run("grant", "revoke", "3") == "It is revoked.\n"
    assert shell.ask("grant", "revoke", "--user", "alice", "--client", "d") == {"revoked": True}
    assert keys() == ["1"]
    assert "name a grant that is active" in shell.run("grant", "revoke", "3", status=2)
    assert "name a grant, or else --user or --subject" in shell.run("grant", "revoke", status=2)
    assert "leave it out, or --subject" in shell.run("grant", "list", "--user", "a", "--subject", "b", status=2)


def test_grants_are_listed_with_the_names_of_their_resources_and_their_uris_where_they_have_none(shell: Shell) -> None:
    registered, other = "https://api.example/mcp", "https://gone.example"
    with Path("oauthcore.toml").open("a") as file:
        file.write(f'\n[[resources]]\nuri = "{registered}"\nname = "Files"\n')
    grants = (attrs.evolve(standing("1", "s-1"), resources=(registered, other)), standing("2", "s-1"))
    stored(lambda opened: opened.commit([Insert(record) for record in (Client(client_id="c"), *grants)]))

    assert [row["resources"] for row in shell.ask("grant", "list")] == [["Files", other], []]
    assert "Files https://gone.example" in shell.run("grant", "list")


def test_expired_records_are_purged(shell: Shell) -> None:
    stored(lambda opened: opened.commit([Insert(Thing(str(key), expires_at=1)) for key in range(BATCH + 1)]))

    assert shell.run("purge") == f"{BATCH + 1} expired records are removed.\n"
    assert shell.ask("purge") == {"removed": 0}


def test_what_has_just_expired_stays_as_clocks_differ(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(lambda opened: opened.commit([Insert(Thing(str(second), expires_at=second)) for second in (999, 1_000)]))
    monkeypatch.setattr(time, "time", lambda: 1_300.0)

    assert shell.ask("purge") == {"removed": 1}


def test_purging_may_be_interrupted_and_says_how_far_it_got(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(lambda opened: opened.commit([Insert(Thing(str(key), expires_at=1)) for key in range(BATCH + 1)]))
    calls: list[int] = []
    real = SqliteStorage.purge

    def purge(self: SqliteStorage, expired_before: int, limit: int) -> int:
        if calls:
            raise KeyboardInterrupt
        calls.append(limit)
        return real(self, expired_before, limit)

    monkeypatch.setattr(SqliteStorage, "purge", purge)
    with pytest.raises(SystemExit) as ended:
        main(["purge"])

    assert ended.value.code == 130
    assert stored(lambda opened: opened.expired(2)) == 1


def test_storage_that_fails_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    def broken(self: SqliteStorage, expired_before: int, limit: int) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SqliteStorage, "purge", broken)

    assert shell.run("purge", status=1) == "oauthcore: disk I/O error\n"


@pytest.mark.parametrize("command", ["user remove alice", "grant revoke --subject s-1"])
def test_storage_that_fails_while_revoking_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    shell.run("user", "add", "alice", "--subject", "s-1", typed="x\n")

    def broken(self: SqliteStorage, kind: type, subject: str) -> object:
        raise OSError("disk I/O error")

    monkeypatch.setattr(SqliteStorage, "find_of", broken)

    complaint = shell.run(*command.split(), status=1)

    assert "not all of it may be revoked" in complaint or "what they authorized stands" in complaint


def test_what_is_declared_is_listed_and_changed_by_its_file_alone(shell: Shell) -> None:
    password_hash = shell.run("user", "hash-password", typed="x\n").strip()
    assert shell.ask("user", "hash-password", typed="x\n")["password_hash"].startswith("$argon2id$")
    with Path("oauthcore.toml").open("a") as file:
        file.write(DECLARED.format(password_hash=password_hash))

    clients = {row["client_id"]: row["declared"] for row in shell.ask("client", "list")}
    users = {row["username"]: row["declared"] for row in shell.ask("user", "list")}

    assert clients == users == {"declared": True}
    for command in (
        ("client", "add", "declared", "--grant-type", "client_credentials"),
        ("client", "remove", "declared"),
        ("client", "update", "declared", "--name", "Mine"),
        ("client", "disable", "declared"),
        ("client", "enable", "declared"),
        ("client", "rotate-secret", "declared"),
        ("user", "add", "Declared"),
        ("user", "remove", "declared"),
        ("user", "set-password", "declared"),
    ):
        complaint = shell.run(*command, typed="x\n", status=2)
        assert "it is declared in the configuration; change it there" in complaint


def test_tables_are_for_people(shell: Shell) -> None:
    shell.run("client", "add", "app", "--name", "[red]App", "--grant-type", "client_credentials")

    said = shell.run("client", "list")

    assert said.splitlines()[0].split() == [
        *("client_id", "name", "grant_types", "scope", "enabled", "registered_by", "state")
    ]
    assert "[red]App" in said


@pytest.mark.parametrize("arguments", [("client",), ("user",), ("grant",), ()])
def test_help_is_there_for_every_group(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert "Commands" in shell.run(*arguments, "--help")


@pytest.mark.parametrize("name", [name for name in app if not name.startswith("-")])
def test_list_of_commands_says_of_each_what_it_says_of_itself(shell: Shell, name: str) -> None:
    """The list is written by hand, so that nothing is imported for it."""
    _, itself, *_ = shell.run(name, "--help").split("\n\n")

    listed = " ".join(shell.run("--help").replace("│", " ").split())

    assert f" {name} {' '.join(itself.split())} " in listed


def test_command_that_only_reads_imports_nothing_that_serves(shell: Shell, tmp_path: Path) -> None:
    code = "import sys; from oauthcore_h11.cli.commands import app; "
    code += "app(['client', 'list'], result_action='return_value'); print(*sys.modules)"
    said = run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True).stdout
    imported = set(said.split("\n")[-2].split())

    assert "oauthcore_h11.cli.clients" in imported
    assert imported.isdisjoint(f"oauthcore_h11.{name}" for name in ("serving", "service", "workers", "demo", "witness"))
    assert imported.isdisjoint({"oauthcore.testing", "oauthcore.trace", "oauthcore_fetch", "oauthcore_pages"})
    assert imported.isdisjoint({"jinja2", "prometheus_client", "urllib3"})


def test_completion_is_offered(shell: Shell) -> None:
    assert "--install-completion" in shell.run("--help")


@pytest.fixture
def strict(shell: Shell, tmp_path: Path) -> Shell:
    """Return a shell whose configuration says nothing of passwords."""
    config = tmp_path / "oauthcore.toml"
    relaxed = config.read_text(encoding="utf-8")
    config.write_text(
        relaxed.replace("minimum_length = 1\n", "").replace("refuse_common = false\n", ""), encoding="utf-8"
    )
    return shell


@pytest.mark.parametrize("command", [("user", "add", "alice"), ("user", "hash-password")])
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("x", "use at least 15 characters"),
        ("fourteen chars", "use at least 15 characters"),
        ("passwordpassword", "one of the most common"),
        ("123456789012345", "one of the most common"),
    ],
)
def test_password_that_is_short_or_common_is_refused_unseen(
    strict: Shell, command: tuple[str, ...], typed: str, why: str
) -> None:
    complaint = strict.run(*command, typed=f"{typed}\n", status=2)

    assert why in complaint
    assert typed not in complaint


def test_password_made_of_the_name_is_refused_when_it_is_changed_too(strict: Shell) -> None:
    strict.run("user", "add", "alice", typed="wonderland is far away\n")

    assert "one of the most common" in strict.run("user", "set-password", "alice", typed="alicealicealice\n", status=2)


def test_generated_password_needs_no_rules(strict: Shell) -> None:
    assert len(strict.ask("user", "add", "alice", "--generate")["password"]) == 22


def test_operator_chooses_how_long_passwords_are(strict: Shell, tmp_path: Path) -> None:
    config = tmp_path / "oauthcore.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[passwords]\n", "[passwords]\nminimum_length = 8\n"), encoding="utf-8")

    assert "use at least 8 characters" in strict.run("user", "add", "bob", typed="seven77\n", status=2)
    assert "one of the most common" in strict.run("user", "add", "bob", typed="baseball\n", status=2)
    assert strict.ask("user", "add", "bob", typed="rabbit hole\n")["username"] == "bob"


@pytest.mark.parametrize("command", [("check",), ("serve",), ("client", "list"), ("client", "add", "other")])
def test_short_client_secret_in_the_file_is_one_line_that_does_not_show_it(
    strict: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with (tmp_path / "oauthcore.toml").open("a", encoding="utf-8") as file:
        file.write('[[clients]]\nclient_id = "app"\nsecret = "Tr0ub4dor"\ngrant_types = ["client_credentials"]\n')

    (complaint,) = strict.run(*command, status=2).splitlines()

    assert "clients[1].secret = Secret(): use at least 16 characters (client_secrets.minimum_length)" in complaint
    assert "Tr0ub4dor" not in complaint


def test_operator_chooses_how_long_client_secrets_are(strict: Shell, tmp_path: Path) -> None:
    config = tmp_path / "oauthcore.toml"
    text = config.read_text(encoding="utf-8").replace("[client_secrets]\n", "[client_secrets]\nminimum_length = 9\n")
    client = '[[clients]]\nclient_id = "app"\nsecret = "Tr0ub4dor"\ngrant_types = ["client_credentials"]\n'
    config.write_text(text + client, encoding="utf-8")

    [warning] = strict.ask("check")["warnings"]

    assert "128 keep it from being guessed" in warning


def test_secret_that_is_drawn_needs_no_rules_whatever_they_are(strict: Shell, tmp_path: Path) -> None:
    config = tmp_path / "oauthcore.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[client_secrets]\n", "[client_secrets]\nminimum_length = 100\n"), encoding="utf-8")

    assert len(strict.ask("client", "add", "app", "--grant-type", "client_credentials")["client_secret"]) == 43
    assert len(strict.ask("client", "rotate-secret", "app")["client_secret"]) == 43


@pytest.mark.parametrize("subject", ["", "s" * 256, "Zo\u00eb"])
def test_subject_of_a_user_is_what_openid_connect_can_say(shell: Shell, subject: str) -> None:
    """OIDC Core section 2."""
    complaint = shell.run("user", "add", "alice", "--subject", subject, typed="wonderland\n", status=2)

    assert "--subject = " in complaint and "1 to 255 printable ASCII characters" in complaint


def test_subject_of_a_declared_user_is_too(shell: Shell, tmp_path: Path) -> None:
    """The username is the subject where none is named."""
    hashed = shell.ask("user", "hash-password", typed="wonderland\n")["password_hash"]
    config = tmp_path / "oauthcore.toml"
    before = config.read_text(encoding="utf-8")
    table = f"[[users]]\nusername = 'Zo\u00eb'\npassword_hash = '{hashed}'\n"

    config.write_text(before + table, encoding="utf-8")
    assert "users[1].subject = 'Zo\u00eb'" in shell.run("check", status=2)
    config.write_text(before + table + "subject = 'zoe'\n", encoding="utf-8")
    assert "is good" in shell.run("check")
