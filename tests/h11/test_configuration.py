"""The configuration file: what it may say, and the one line about what it may not."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from oauthcore import (
    Allowance,
    Client,
    CodeBinding,
    ConfigurationError,
    DeviceGrant,
    Dpop,
    MutualTls,
    PushedRequests,
    RefreshRotation,
    RequestObjects,
    Scope,
    Secret,
)
from oauthcore_h11.assembly import new_token_key, server_of
from oauthcore_h11.configuration import Configuration, read
from oauthcore_h11.configuration.sample import sample
from oauthcore_h11.declarations import declared
from oauthcore_h11.passwords import Passwords

LEAST = 'issuer = "https://as.example"\ntoken_key = "hush-token-key"\n'


def reading(folder: Path, text: str, **environment: str) -> Configuration:
    path = folder / "oauthcore.toml"
    path.write_text(text, encoding="utf-8")
    return read(path, environment)


def test_least_there_can_be_is_an_issuer_and_a_key(tmp_path: Path) -> None:
    configuration = reading(tmp_path, LEAST)

    assert configuration.issuer == "https://as.example"
    assert configuration.token_key == Secret("hush-token-key")
    assert configuration.database == tmp_path / "oauthcore.db"
    assert "hush" not in repr(configuration)


def uncommented(text: str) -> str:
    """Make the examples of the sample settings."""
    kept = []
    for line in text.splitlines():
        stripped = line.removeprefix("# ") if line.startswith("# ") else line
        is_setting = stripped.startswith("[") or (" = " in stripped and stripped.split(" = ")[0].isidentifier())
        kept.append(stripped if is_setting else "")
    return "\n".join(kept)


def test_every_example_of_the_sample_can_be_read(tmp_path: Path) -> None:
    text = uncommented(sample("https://as.example", new_token_key()))

    with pytest.raises(ConfigurationError, match=r"name their client_ca|set client_certificates"):
        reading(tmp_path, text, MY_APP_SECRET="s")
    configuration = reading(
        tmp_path, text.replace('client_certificates = "none"', 'client_certificates = "optional"'), MY_APP_SECRET="s"
    )

    assert configuration.tls is not None
    assert configuration.clients[0].secret == Secret("s")
    assert configuration.users[0].username == "alice"


def test_defaults_in_the_sample_are_the_defaults(tmp_path: Path) -> None:
    text = uncommented(sample("https://as.example", new_token_key()))
    text = text.replace('client_certificates = "none"', 'client_certificates = "optional"')

    # A folder for traces is an example, as all folders are.
    text = text.replace('traces = "traces"', "")
    # A profile may have another default.
    for of_profile in ('code_binding = "pkce_or_nonce"', 'refresh_rotation = "always"'):
        text = text.replace(of_profile, "")
    shown = reading(tmp_path, text, MY_APP_SECRET="s")
    least = reading(tmp_path, LEAST)

    tables = ("limits", "paths", "policy", "lifetimes", "passwords", "client_secrets", "logs", "metrics", "purge")
    for name in (*tables, "workers", "synchronous"):
        assert getattr(shown, name) == getattr(least, name), name


@pytest.mark.parametrize(
    ("limits", "share"),
    [
        ("", 100),
        ("connections = 5_000", 500),
        ("connections = 5", 1),
        ("connections = 5_000\nconnections_per_address = 7", 7),
    ],
)
def test_one_address_has_a_tenth_of_the_connections_unless_it_is_said(tmp_path: Path, limits: str, share: int) -> None:
    assert reading(tmp_path, f"{LEAST}[limits]\n{limits}").limits.connections_per_address == share


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('isuer = "x"', "isuer = …: there is no such setting; did you mean issuer?"),
        (
            "folder = 1",
            "folder = …: use one of authorization_details, bind, ciba, client_assertions, client_id_metadata",
        ),
        ("[[token_exchange]]\nmode = 'x'", "token_exchange[1].client_ids = None: it is missing"),
        (
            "[[token_exchange]]\nclient_ids = ['a']\nallow = ['x']",
            "token_exchange[1].allow[1] = 'x': use one of outlive",
        ),
        ("[[id_jag]]\nclient_ids = ['a']", "id_jag[1].audience = None: it is missing"),
        ("workers = '4'", "workers = '4': use a whole number"),
        ("workers = true", "workers = True: use a whole number"),
        ("workers = 0", "workers = 0: use a number, 1 or more"),
        ("[purge]\nevery = 0", "purge.every = 0.0: use a number above 0"),
        ("[purge]\nbatch = 0", "purge.batch = 0: use a number, 1 or more"),
        ("bind = 'x'", "bind = 'x': use a list in [ ]"),
        ("bind = []", "bind = []: name one address at least"),
        ("bind = ['a', 1]", "bind[2] = 1: use a text in quotes"),
        ("storage = 'sqlite:'", "storage = 'sqlite:': use sqlite: and a file"),
        ("storage = 1", "storage.url = …: use a text in quotes"),
        ("storage.url = ''", "storage.url = …: use a text in quotes"),
        ("storage = {env = 'NO'}", "storage.url = …: the environment variable NO"),
        ("storage.uri = 'redis://:hush@host'", "storage.uri = …: there is no such setting; did you mean url?"),
        ("synchronous = 'OFF'", "synchronous = 'OFF': use one of 'FULL', 'NORMAL'"),
        ("tls = 1", "tls = 1: use a table"),
        ("[tls]\ncertificate = 'a'", "tls.key = None: it is missing; set it"),
        ("[tls]\ncertificate = 'a'\nkey = ''", "tls.key = '': use a path in quotes"),
        ("[tls]\ncertificate = 'a'\nkey = 'b'\nclient_ca = 'c'", "tls.client_ca = "),
        ("[tls]\ncertificate='a'\nkey='b'\nclient_certificates='required'", "tls.client_certificates = 'required'"),
        ("[limits]\nhead_time = 'x'", "limits.head_time = 'x': use a number"),
        ("[limits]\nhead_time = -1", "limits.head_time = -1.0: use a number, 0 or more"),
        ("[limits]\nboddy = 1", "limits.boddy = …: there is no such setting; did you mean body?"),
        ("[proxies]\ntrusted_unix = 'yes'", "proxies.trusted_unix = 'yes': use true or false"),
        ("[proxies]\ntrusted = ['10.0.0.1/8']", "proxies.trusted[1] = '10.0.0.1/8': use an IP address"),
        ("[policy]\nallow = ['everything']", "policy.allow[1] = 'everything': use one of confidential_without_pkce"),
        ("[policy]\npreset = 'oauth1'", "policy.preset = 'oauth1': use one of 'oauth21', 'oauth20'"),
        ("[lifetimes]\naccess_token_lifetime = 0", "lifetimes.access_token_lifetime = 0: use a number of seconds"),
        ("[scopes]\nemail = 1", "scopes.email = 1: use a text, or one for each language"),
        ("[[clients]]\nname = 'a'", "clients[1].client_id = None: it is missing"),
        ("[[clients]]\nclient_id = 'a'\nscope = 'a\"b'", "clients[1].scope = 'a\"b': use scope tokens"),
        ("[[clients]]\nclient_id = 'a'\nsecret = ''", "clients[1].secret = …: use a text in quotes"),
        ("[[clients]]\nclient_id = 'a'\nsecrett = 'hush'", "clients[1].secrett = …: there is no such setting"),
        ("[[clients]]\nclient_id = 'a'\nsecret = {env = 'NO'}", "clients[1].secret = …: the environment variable NO"),
        ("[[clients]]\nclient_id = 'a'\nsecret = {file = 'no'}", "clients[1].secret = …: the file "),
        ("[[clients]]\nclient_id = 'a'\nsecret = {env = 'A', file = 'b'}", "clients[1].secret = …: use a text"),
        ("[[clients]]\nclient_id = 'a'\nexplain_until = 1", "clients[1].explain_until = 1: use a date and time"),
        ("[[clients]]\nclient_id = 'a'\nexplain_until = 2030-01-31T12:00:00", "clients[1].explain_until = datetime"),
        ("clients = [1]", "clients[1] = 1: use a table"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reading(tmp_path, LEAST + line)

    said = str(caught.value)
    assert said.startswith(f"oauthcore.toml: {complaint}")
    assert "\n" not in said
    assert "hush" not in said


def test_values_are_read_as_what_they_are(tmp_path: Path) -> None:
    text = """
[proxies]
trusted = ["10.0.0.0/8", "::1"]
[policy]
allow = ["plain_pkce"]
[limits]
head_time = 5
[scopes]
email = "Your address"
[[clients]]
client_id = "a"
scope = ["x", "y"]
default_scope = "x"
[[clients]]
client_id = "b"
scope = []
"""
    configuration = reading(tmp_path, LEAST + text)

    assert configuration.proxies.trusted == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert configuration.policy.allow == (Allowance.PLAIN_PKCE,)
    assert configuration.limits.head_time == 5
    assert configuration.scopes == {"email": "Your address"}
    assert configuration.clients[0].scope == Scope(("x", "y"))
    assert configuration.clients[0].default_scope == Scope(("x",))
    assert configuration.clients[1].scope == Scope()


def test_secret_comes_from_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    issuer = 'issuer = "https://as.example"\n'

    assert reading(tmp_path, issuer + 'token_key = {file = "key"}').token_key == Secret("from-a-file")
    assert reading(tmp_path, issuer + 'token_key = {env = "K"}', K="from-outside").token_key == Secret("from-outside")


def test_what_begins_with_a_byte_order_mark_is_read_without_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\ufefffrom-a-file\r\n", encoding="utf-8")

    configuration = reading(tmp_path, '\ufeffissuer = "https://as.example"\r\ntoken_key = {file = "key"}\r\n')

    assert configuration.issuer == "https://as.example"
    assert configuration.token_key == Secret("from-a-file")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff"])
def test_file_without_a_secret_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"token_key = …: the file .*key (is empty|can't be read)"):
        reading(tmp_path, 'issuer = "https://as.example"\ntoken_key = {file = "key"}')


@pytest.mark.parametrize(("text", "said"), [("x = ", "this is no TOML"), (None, r"it can't be read \(No such file")])
def test_file_that_can_not_be_read_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "oauthcore.toml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigurationError, match=said):
        read(path, {})


def test_sample_for_this_machine_listens_where_its_issuer_says() -> None:
    assert 'bind = ["localhost:8080"]' in sample("http://localhost:8080", Secret("x"))
    assert 'bind = ["localhost:80"]' in sample("http://localhost", Secret("x"))
    assert 'bind = ["127.0.0.1:8000"]' in sample("https://as.example", Secret("x"))


def test_the_device_grant_is_off_and_one_line_turns_it_on(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    tables = {"off": "", "on": "[device]\n", "no limit": "[device]\nmax_wrong_of_user = 0\n"}

    made = {name: server_of(reading(tmp_path, least + text)).device for name, text in tables.items()}

    assert made == {"off": None, "on": DeviceGrant(), "no limit": DeviceGrant(max_wrong_of_user=None)}


def test_pushed_requests_are_off_and_one_line_turns_them_on(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    table = "[pushed_requests]\n"
    tables = {"off": "", "on": table, "no limit": f"{table}max_from_address = 0\nrequired = true\nlifetime = 600\n"}

    made = {name: server_of(reading(tmp_path, least + text)).pushed_requests for name, text in tables.items()}

    bounded = PushedRequests(max_from_address=None, required=True, lifetime=600)
    assert made == {"off": None, "on": PushedRequests(), "no limit": bounded}


def test_a_lifetime_of_pushed_requests_that_can_not_be_is_refused(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'

    with pytest.raises(ConfigurationError, match=r"pushed_requests\.lifetime = 601"):
        server_of(reading(tmp_path, least + "[pushed_requests]\nlifetime = 601\n"))


def test_a_declared_client_may_have_to_push(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    client = '[[clients]]\nclient_id = "a"\nredirect_uris = ["https://a.example/"]\n'
    client += 'token_endpoint_auth_method = "none"\nrequire_pushed_authorization_requests = true\n'

    declared = reading(tmp_path, f"{least}[pushed_requests]\n{client}").clients

    assert [one.require_pushed_authorization_requests for one in declared] == [True]


def test_dpop_is_off_and_one_line_turns_it_on(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    tables = {"off": "", "on": "[dpop]\n", "strict": '[dpop]\nrequire_nonce = true\nalgorithms = ["ES256"]\n'}

    made = {name: server_of(reading(tmp_path, least + text)).dpop for name, text in tables.items()}

    assert made == {"off": None, "on": Dpop(), "strict": Dpop(require_nonce=True, algorithms=["ES256"])}
    with pytest.raises(ConfigurationError, match=r"dpop\.lifetime = 0"):
        server_of(reading(tmp_path, least + "[dpop]\nlifetime = 0\n"))


def test_a_declared_client_may_have_to_prove_a_key(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    client = '[[clients]]\nclient_id = "a"\nredirect_uris = ["https://a.example/"]\n'
    client += 'token_endpoint_auth_method = "none"\ndpop_bound_access_tokens = true\n'

    declared = reading(tmp_path, f"{least}[dpop]\n{client}").clients

    assert [one.dpop_bound_access_tokens for one in declared] == [True]


@pytest.mark.parametrize("name", ["always", "unless_sender_constrained"])
def test_which_refresh_tokens_rotate_is_named_in_the_policy(tmp_path: Path, name: str) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'

    made = server_of(reading(tmp_path, f'{least}[policy]\nrefresh_rotation = "{name}"\n'))

    assert made.policy.refresh_rotation is RefreshRotation[name.upper()]


def test_mutual_tls_is_off_and_one_line_turns_it_on(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    tables = {"off": "", "on": "[mutual_tls]\n", "one": '[mutual_tls]\nmethods = ["tls_client_auth"]\n'}

    made = {name: server_of(reading(tmp_path, least + text)).mutual_tls for name, text in tables.items()}

    assert made == {"off": None, "on": MutualTls(), "one": MutualTls(methods=["tls_client_auth"])}
    with pytest.raises(ConfigurationError, match=r"mutual_tls\.methods"):
        server_of(reading(tmp_path, least + '[mutual_tls]\nmethods = ["tls"]\n'))


def test_a_declared_client_may_have_a_certificate(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n[mutual_tls]\n'
    client = '[[clients]]\nclient_id = "a"\ngrant_types = ["client_credentials"]\n'
    client += 'token_endpoint_auth_method = "tls_client_auth"\n'
    passwords = Passwords(memory=64, passes=1, at_once=1)
    for name in ('subject_dn = "CN=a"', 'san_dns = "a"', 'san_uri = "a:b"', 'san_ip = "::1"', 'san_email = "a@b"'):
        configuration = reading(tmp_path, f"{least}{client}tls_client_auth_{name}\n")
        (made,) = declared(configuration, server_of(configuration), passwords)
        assert isinstance(made, Client) and made.token_endpoint_auth_method == "tls_client_auth"
    configuration = reading(tmp_path, least + client)
    with pytest.raises(ConfigurationError, match=r"clients\[1\]\.tls_client_auth_subject_dn"):
        list(declared(configuration, server_of(configuration), passwords))


def test_a_profile_alone_holds_the_server_to_its_rules(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n[oidc]\n'
    table = '[profile]\nname = "fapi2_message_signing"\nparts = ["requests"]\n'

    made = server_of(reading(tmp_path, least + table))

    assert made.policy.code_binding is CodeBinding.PKCE
    assert made.policy.response_types == {"code"}
    assert made.pushed_requests == PushedRequests(required=True)
    assert made.request_objects == RequestObjects(required=True, max_lifetime=3_600)
    assert made.instruments.keys is not None
    assert made.instruments.keys.algorithms == ("PS256", "ES256")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('[policy]\ncode_binding = "pkce_or_nonce"\n', r"policy\.code_binding"),
        ("[pushed_requests]\n", r"pushed_requests\.required"),
        ('[policy]\npreset = "oauth20"\nallow = ["plain_pkce"]\n[dpop]\n', r"password"),
        ('[oidc.keys]\nalgorithms = ["RS256"]\n', r"keys\.algorithms"),
    ],
)
def test_a_table_that_breaks_a_rule_of_the_profile_is_refused(tmp_path: Path, table: str, complaint: str) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'

    with pytest.raises(ConfigurationError, match=complaint):
        server_of(reading(tmp_path, f'{least}[profile]\nname = "fapi2_security"\n{table}'))


def test_demands_on_request_objects_are_read_from_the_file(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    table = "[request_objects]\nrequired = true\nmax_lifetime = 3600\n"

    made = [server_of(reading(tmp_path, least + text)).request_objects for text in ("", table)]

    assert made == [RequestObjects(), RequestObjects(required=True, max_lifetime=3_600)]


DETAILS = """[[authorization_details]]
type = "payment"
required = ["amount"]
optional = ["reference"]
description = "Pay {amount.value} {amount.currency} for {reference}"
"""


def test_a_type_of_authorization_details_is_read_from_the_file(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'

    types = server_of(reading(tmp_path, least + DETAILS)).authorization_details

    assert types is not None
    payment = types.types["payment"]
    detail = {"type": "payment", "amount": {"value": 10, "currency": "EUR"}, "reference": "a\n\u202ebook"}
    assert payment.check(detail) is None
    assert payment.check(detail | {"actions": ["pay"]}) is None
    assert payment.check({"type": "payment"}) == "it lacks amount"
    assert payment.check(detail | {"recurring": True}) == "the type has no member recurring"
    assert payment.describe(detail) == "Pay 10 EUR for a  book"
    assert payment.describe({"type": "payment", "amount": 10}) == "Pay   for "


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("{reference}", "{creditor}", r"authorization_details\[1\]\.description.*add creditor"),
        ('"payment"', '"a payment"', r"authorization_details\[1\]\.type"),
    ],
)
def test_a_type_of_authorization_details_that_can_not_be_is_refused(
    tmp_path: Path, was: str, becomes: str, complaint: str
) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'

    with pytest.raises(ConfigurationError, match=complaint):
        server_of(reading(tmp_path, least + DETAILS.replace(was, becomes)))
