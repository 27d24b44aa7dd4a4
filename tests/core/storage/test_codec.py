"""Records as JSON and back."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Allowance, Client, Login, Scope
from oauthcore.digest import Digest
from oauthcore.pkce import CodeChallenge
from oauthcore.records.actor import Actor
from oauthcore.records.client import ClientSecret
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.grant import Consent, Grant, Rotation, WithdrawalMark
from oauthcore.records.interaction import AuthorizationRequest, Interaction
from oauthcore.records.key_ring import KeyRing, RingKey
from oauthcore.records.lifecycle import CodeState, GrantState, InteractionState, KeyState
from oauthcore.records.liveness import is_live_consent
from oauthcore.records.record import Record
from oauthcore.records.token import AccessToken, AuthorizationCode, RefreshToken, SpentAssertion
from oauthcore.storage.codec import dump, load

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
MAYBE = st.none() | TEXT
TIME = st.integers(0, 2**40)
KEY = TEXT.map(Digest)
SCOPE = st.lists(st.sampled_from("abc"), max_size=3).map(lambda tokens: Scope(tuple(tokens)))
LOGIN = st.builds(Login, subject=TEXT, auth_time=TIME, acr=MAYBE, amr=st.lists(TEXT, max_size=2).map(tuple))
REQUEST = st.builds(
    AuthorizationRequest, client_id=TEXT, scope=MAYBE, state=MAYBE, prompt=MAYBE, nonce=MAYBE, claims=MAYBE
)

RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(
        Client,
        client_id=TEXT,
        name=MAYBE,
        secrets=st.lists(st.builds(ClientSecret, digest=KEY, expires_at=st.none() | TIME), max_size=2).map(tuple),
        token_endpoint_auth_method=st.sampled_from(("client_secret_basic", "client_secret_post", "none", None)),
        redirect_uris=st.lists(TEXT, max_size=2),
        scope=SCOPE,
        default_scope=st.none() | SCOPE,
        allow=st.frozensets(st.sampled_from(Allowance)),
        id_token_claims=st.sampled_from(("requested", "all")),
        access_token_lifetime=st.none() | TIME,
        enabled=st.booleans(),
    ),
    st.builds(
        Consent, key=KEY, client_id=TEXT, subject=TEXT, scope=SCOPE, granted_at=TIME, expires_at=st.none() | TIME
    ),
    st.builds(
        Grant,
        key=KEY,
        client_id=TEXT,
        subject=TEXT,
        scope=SCOPE,
        auth_time=st.none() | TIME,
        granted_at=TIME,
        expires_at=TIME,
        state=st.sampled_from(GrantState),
        refresh_token=st.none() | KEY,
        rotation=st.none() | st.builds(Rotation, TIME, SCOPE, TIME, TIME),
    ),
    st.builds(
        AuthorizationCode,
        key=KEY,
        client_id=TEXT,
        subject=TEXT,
        grant=KEY,
        redirect_uri=TEXT,
        redirect_uri_given=st.booleans(),
        code_challenge=st.none() | st.builds(CodeChallenge, TEXT, st.sampled_from(("S256", "plain"))),
        issued_at=TIME,
        expires_at=TIME,
        state=st.sampled_from(CodeState),
    ),
    st.builds(
        AccessToken,
        key=KEY,
        client_id=TEXT,
        subject=MAYBE,
        grant=st.none() | KEY,
        scope=SCOPE,
        audience=st.lists(TEXT, max_size=2).map(tuple),
        issued_at=TIME,
        expires_at=TIME,
    ),
    st.builds(SpentAssertion, key=KEY, client_id=TEXT, expires_at=TIME),
    st.builds(WithdrawalMark, key=KEY, mark=TEXT, expires_at=TIME),
    st.builds(RefreshToken, key=KEY, client_id=TEXT, subject=TEXT, grant=KEY, issued_at=TIME, expires_at=TIME),
    st.builds(
        KeyRing,
        issuer=TEXT,
        keys=st.lists(
            st.builds(
                RingKey,
                kid=TEXT,
                alg=TEXT,
                public=TEXT,
                private=MAYBE,
                created_at=TIME,
                activated_at=st.none() | TIME,
                retired_at=st.none() | TIME,
                state=st.sampled_from(KeyState),
            ),
            max_size=3,
        ).map(tuple),
    ),
    st.builds(
        Interaction,
        key=KEY,
        client_id=TEXT,
        request=REQUEST,
        browser=KEY,
        started_at=TIME,
        expires_at=TIME,
        state=st.sampled_from(InteractionState),
        login=st.none() | LOGIN,
        scope=st.none() | SCOPE,
        remember=st.booleans(),
    ),
)


def test_a_client_s_id_token_claims_are_written_as_earlier_versions_wrote_them() -> None:
    """A storage compares texts: what another version has written has to stay the same, to be replaced."""
    text = dump(Client(client_id="app", id_token_claims="all"))

    assert json.loads(text)["id_token_claims"] is True
    assert load(Client, text).id_token_claims == "all"
    assert "id_token_claims" not in json.loads(dump(Client(client_id="app")))
    assert load(Client, text.replace("true", "false")).id_token_claims == "requested"


def test_a_client_that_was_stored_without_a_method_keeps_to_the_one_that_it_had() -> None:
    """Earlier versions left `client_secret_basic` out; whoever may choose is written down as such."""
    old, free = load(Client, '{"client_id":"a"}'), load(Client, '{"client_id":"a","token_endpoint_auth_method":null}')

    assert (old.authentication_methods, dump(old)) == (("client_secret_basic",), '{"client_id":"a"}')
    assert free == Client(client_id="a")
    assert free.authentication_methods == ("client_secret_basic", "client_secret_post")


def test_a_token_that_was_stored_before_tokens_were_bound_is_read_and_written_as_it_was() -> None:
    text = (
        '{"audience":["https://as.example"],"client_id":"c","expires_at":9,"grant":null,"issued_at":1,'
        '"key":"' + "0" * 64 + '","scope":"read","subject":null}'
    )

    token = load(AccessToken, text)

    assert (token.confirmation, token.actors, dump(token)) == (None, (), text)


OLD_CONSENT = (
    '{"client_id":"c","expires_at":null,"granted_at":1,"key":"k","resources":%s,"scope":"email","subject":"alice"}'
)


def test_a_consent_that_was_stored_for_one_resource_is_for_that_resource() -> None:
    """Earlier versions had one for all resources of a request."""
    consent = load(Consent, OLD_CONSENT % '["https://api.example"]')

    assert (consent.resource, consent.scope.text, consent.expires_at) == ("https://api.example", "email", None)
    assert is_live_consent(consent, Client(client_id="c"), now=2)


def test_a_consent_that_was_stored_for_several_resources_is_no_consent_any_more() -> None:
    """What was allowed at which of them is not known."""
    consent = load(Consent, OLD_CONSENT % '["https://a.example","https://b.example"]')

    assert not is_live_consent(consent, Client(client_id="c"), now=2)
    assert consent.subject == "alice"
    assert load(Consent, dump(consent)) == consent


def test_a_bound_token_with_actors_is_written_and_read() -> None:
    token = AccessToken(
        key=Digest("0" * 64),
        client_id="c",
        subject="alice",
        grant=Digest("g"),
        scope=Scope(),
        audience=("https://api.example",),
        issued_at=1,
        expires_at=9,
        confirmation=Confirmation(jkt="thumbprint"),
        actors=(Actor("first", "https://other.example"), Actor("second")),
    )

    assert load(AccessToken, dump(token)) == token


@given(record=RECORDS)
def test_reading_undoes_writing_for_every_kind_of_record(record: Record) -> None:
    text = dump(record)

    assert load(type(record), text) == record
    assert isinstance(json.loads(text), dict)


@given(record=RECORDS)
def test_equal_records_give_equal_text(record: Record) -> None:
    """So that a storage may compare the text to know whether the record is still the one that was found."""
    assert dump(load(type(record), dump(record))) == dump(record)


def test_the_order_of_allowances_does_not_matter() -> None:
    one = Client(client_id="c", allow=[Allowance.IMPLICIT, Allowance.PASSWORD])
    other = Client(client_id="c", allow=[Allowance.PASSWORD, Allowance.IMPLICIT])

    assert dump(one) == dump(other)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"key": 1}', "{", '{"client_id": "a", "unknown": 1}'])
def test_text_that_is_no_such_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the text is not a Client"):
        load(Client, text)


def test_a_changed_record_gives_other_text() -> None:
    client = Client(client_id="c")

    assert dump(client) != dump(attrs.evolve(client, enabled=False))
