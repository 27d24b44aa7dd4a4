"""Whatever is asked: what an ID token says is true, it is for the client, and no claim leaves that may not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Client
from oauthcore.oidc.id_token import half_hash
from oauthcore.openid import RESERVED_CLAIMS, STANDARD_CLAIMS
from oauthcore.records.client import AccessTokenFormat
from tests.core.oidc.provider import ALICE, ALL_TYPES, CALLBACK, RP, SECRETS, provider
from tests.core.oidc.test_requests import authorize, told
from tests.core.site import ISSUER, Site, basic, form, handle_of, location, members, params

PARAMETERS = (
    *("prompt", "max_age", "display", "claims", "acr_values", "id_token_hint", "nonce", "request", "request_uri"),
    *("registration", "ui_locales", "login_hint", "response_mode", "scope"),
)
SCOPES = ("openid", "profile", "email", "address", "phone")
NAMES = ("name", "name#de", "given_name", "email", "address", "phone_number", "iss", "secret_of_the_application")
WISH = st.sampled_from(
    (None, {"essential": True}, {"value": "Alice Liddell"}, {"values": ["Bob", True]}, {"unheard_of": 1})
)
WISHES = st.dictionaries(st.sampled_from(NAMES), WISH, max_size=4)
CLAIMS = st.none() | st.fixed_dictionaries({}, optional={"userinfo": WISHES, "id_token": WISHES})


@attrs.frozen
class RequestedClaims:
    """Hold one request, and what the person makes of it."""

    registered: tuple[str, ...]
    scope: tuple[str, ...]
    ticked: tuple[str, ...]
    response_type: str
    claims: Mapping[str, Mapping[str, object]] | None
    state: str
    access_token_format: AccessTokenFormat


@st.composite
def requests(draw: st.DrawFn) -> RequestedClaims:
    """Draw a request for an ID token, by a client that is registered for some scopes."""
    others = draw(st.lists(st.sampled_from(SCOPES[1:]), unique=True))
    registered = ("openid", *others)
    scope = ("openid", *draw(st.lists(st.sampled_from(others), unique=True) if others else st.just([])))
    return RequestedClaims(
        registered=registered,
        scope=scope,
        ticked=("openid", *draw(st.lists(st.sampled_from(scope), unique=True))),
        response_type=draw(st.sampled_from([t for t in ALL_TYPES if t not in {"none", "token"}])),
        claims=draw(CLAIMS),
        state=draw(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)),
        access_token_format=draw(st.sampled_from(["opaque", "jwt"])),
    )


def client_of(requested: RequestedClaims) -> Client:
    """Return the client that asks."""
    return attrs.evolve(RP, scope=requested.registered, access_token_format=requested.access_token_format)


def may_leave(requested: RequestedClaims, place: str, *, with_scope: bool) -> set[str]:
    """Return the claims that may be in one place: asked for there, of a registered scope, of none that was refused."""
    wished = set((requested.claims or {}).get(place, {}))
    refused = {
        name for scope in set(requested.scope) - set(requested.ticked) for name in STANDARD_CLAIMS.get(scope, ())
    }
    mine = {name for scope in requested.registered for name in STANDARD_CLAIMS.get(scope, ())} - refused
    by_scope = {name for scope in requested.ticked for name in STANDARD_CLAIMS.get(scope, ())} if with_scope else set()
    return {name for name in ALICE if {name, name.partition("#")[0]} & (wished | by_scope)} & {
        name for name in ALICE if name.partition("#")[0] in mine
    }


def answered(site: Site, requested: RequestedClaims) -> dict[str, str]:
    """Send the request, let the person tick what they tick, and return what arrives at the client."""
    claims = None if requested.claims is None else json.dumps(requested.claims)
    scope = " ".join(requested.scope)
    response = authorize(
        site, site.alice, scope=scope, response_type=requested.response_type, claims=claims, state=requested.state
    )
    assert "interaction" in params(response), response
    return params(site.approve(response, site.alice, " ".join(requested.ticked)))


def check_id_token(
    site: Site, claims: dict[str, Any], requested: RequestedClaims, beside: Mapping[str, Any], *, alone: bool
) -> None:
    """Check that what an ID token says is so."""
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, "rp", "alice")
    assert claims["exp"] > claims["iat"] == site.now
    for name, of in (("at_hash", "access_token"), ("c_hash", "code"), ("s_hash", "state")):
        assert claims.get(name) == (half_hash(beside[of], "RS256") if of in beside else None)
    told_of = set(claims) - RESERVED_CLAIMS - {"typ", "alg"}
    assert told_of <= may_leave(requested, "id_token", with_scope=alone)


@pytest.mark.slow
@given(requests())
def test_what_an_id_token_says_is_so_and_nothing_leaves_that_may_not(requested: RequestedClaims) -> None:
    site = provider(clients=(client_of(requested),))

    answer = answered(site, requested)

    assert answer["state"] == requested.state
    if "id_token" in answer:
        alone = requested.response_type == "id_token"
        check_id_token(site, told(answer["id_token"]), requested, answer, alone=alone)
    if "code" in answer:
        body = form(grant_type="authorization_code", code=answer["code"], redirect_uri=CALLBACK)
        tokens = members(site.post("/token", body, basic("rp", SECRETS["rp"])))
        beside = {"access_token": tokens["access_token"]}
        check_id_token(site, told(tokens["id_token"]), requested, beside, alone=False)
        assert told(tokens["id_token"])["nonce"] == "n"


@pytest.mark.slow
@given(requests())
def test_userinfo_tells_what_was_asked_for_there_and_allowed(requested: RequestedClaims) -> None:
    opaque = attrs.evolve(requested, response_type="code", access_token_format="opaque")
    site = provider(clients=(client_of(opaque),))
    body = form(grant_type="authorization_code", code=answered(site, opaque)["code"], redirect_uri=CALLBACK)
    token = members(site.post("/token", body, basic("rp", SECRETS["rp"])))["access_token"]

    claims = members(site.post("/userinfo", form(access_token=token)))

    assert claims.pop("sub") == "alice"
    assert set(claims) <= may_leave(opaque, "userinfo", with_scope=True)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=30), max_size=6))
def test_whatever_is_asked_is_answered_and_only_at_the_client(changes: dict[str, str]) -> None:
    site = provider()

    response = authorize(site, site.alice, **{name: value.replace("\0", "") for name, value in changes.items()})

    assert response.status in {200, 303, 400}
    assert response.refusal is None or response.refusal.cause is None
    if response.status == 303:
        assert location(response).startswith((CALLBACK, "/login?", "/consent?"))
        assert location(response).startswith(CALLBACK) or handle_of(response)
