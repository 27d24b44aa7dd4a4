"""The ID token by value (OIDC Core section 2)."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Secret
from oauthcore.oidc.id_token import HashInputs, IdTokenDetails, half_hash, id_token, is_due, with_hashes
from oauthcore.oidc.sid import sid_for
from oauthcore.scope import Scope
from tests.core.oidc.provider import ALICE, PAIRWISE, RP, context_of, grant_of
from tests.core.site import ISSUER

CONTEXT = context_of()
WISHES = '{"id_token": {"name": {"value": "Bob"}, "email": {"values": ["alice@wonderland.example"]}}}'


def test_it_says_who_was_authenticated_for_whom_and_when() -> None:
    grant = grant_of(acr="2", amr=("pwd", "otp"), sid="s1")

    jwt = id_token(RP, grant, IdTokenDetails("n"), CONTEXT)

    assert jwt.claims == {
        "iss": ISSUER,
        "sub": "alice",
        "aud": "rp",
        "azp": "rp",
        "iat": CONTEXT.now,
        "exp": CONTEXT.now + 300,
        "auth_time": 1_799_999_000,
        "nonce": "n",
        "acr": "2",
        "amr": ["pwd", "otp"],
        "sid": sid_for(RP, "s1", CONTEXT),
    }
    assert (jwt.alg, jwt.typ, jwt.encryption) == ("RS256", "JWT", None)


def test_what_is_not_known_is_not_said() -> None:
    jwt = id_token(RP, grant_of(auth_time=None), IdTokenDetails(), CONTEXT)

    assert set(jwt.claims) == {"iss", "sub", "aud", "azp", "iat", "exp"}


def test_the_client_s_own_lifetime_and_algorithm_count() -> None:
    client = attrs.evolve(RP, id_token_lifetime=7, id_token_signed_response_alg="ES384")

    jwt = id_token(client, grant_of(), IdTokenDetails(), CONTEXT)

    assert jwt.claims["exp"] == CONTEXT.now + 7
    assert jwt.alg == "ES384"


def test_hashes_are_those_of_the_specification() -> None:
    """OIDC Core appendix A.3 and A.4."""
    assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "RS256") == "LDktKdoQak3Pk0cnXxCltA"


@pytest.mark.parametrize(("alg", "length"), [("RS256", 22), ("ES256", 22), ("ES384", 32), ("EdDSA", 43)])
def test_a_hash_is_as_long_as_the_algorithm_says(alg: str, length: int) -> None:
    assert len(half_hash("x", alg)) == length


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_whatever_leaves_beside_it_is_hashed_into_it(code: str, token: str, state: str) -> None:
    jwt = id_token(RP, grant_of(), IdTokenDetails(), CONTEXT)

    claims = with_hashes(jwt, HashInputs(Secret(code), Secret(token), state)).claims

    assert claims["c_hash"] == half_hash(code, "RS256")
    assert claims["at_hash"] == half_hash(token, "RS256")
    assert claims["s_hash"] == half_hash(state, "RS256")


def test_a_scope_s_claims_are_in_it_only_where_it_comes_alone() -> None:
    grant = grant_of("openid email")

    alone = id_token(RP, grant, IdTokenDetails(person=ALICE, claimed=grant.scope), CONTEXT).claims
    beside = id_token(RP, grant, IdTokenDetails(person=ALICE), CONTEXT).claims

    assert (alone["email"], alone["email_verified"]) == ("alice@wonderland.example", True)
    assert "email" not in beside


def test_a_claim_that_is_asked_for_there_is_in_it() -> None:
    grant = grant_of("openid", claims='{"id_token": {"name": null, "nickname": null, "phone_number": null}}')

    claims = id_token(RP, grant, IdTokenDetails(person=ALICE), CONTEXT).claims

    assert (claims["name"], claims["name#de"]) == ("Alice Liddell", "Alice im Wunderland")
    assert not {"nickname", "phone_number", "given_name"} & set(claims)


def test_no_claim_of_the_application_takes_the_place_of_ours() -> None:
    grant = grant_of("openid profile", claims='{"id_token": {"sub": null, "iss": null}}')

    claims = id_token(RP, grant, IdTokenDetails(person=ALICE, claimed=grant.scope), CONTEXT).claims

    assert (claims["sub"], claims["iss"]) == ("alice", ISSUER)


def test_a_value_that_is_not_the_one_asked_for_is_left_out() -> None:
    grant = grant_of(
        claims='{"id_token": {"name": {"value": "Bob"}, "email": {"values": ["alice@wonderland.example"]}}}'
    )

    claims = id_token(RP, grant, IdTokenDetails(person=ALICE), CONTEXT).claims

    assert "name" not in claims
    assert claims["email"] == "alice@wonderland.example"


def test_a_pairwise_client_learns_its_own_name_for_the_person() -> None:
    assert id_token(PAIRWISE, grant_of(), IdTokenDetails(), CONTEXT).claims["sub"] != "alice"


def test_it_is_due_to_scope_openid_at_a_provider() -> None:
    assert is_due(Scope(("openid",)), CONTEXT)
    assert not is_due(Scope(("email",)), CONTEXT)
    assert not is_due(Scope(("openid",)), attrs.evolve(CONTEXT, openid=None))
