"""ID-JAG as the identity provider: assertions for another authorization server's token endpoint.

Sections are those of draft-ietf-oauth-identity-assertion-authz-grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from oauthcore import (
    AllowedExchange,
    AllowedIdJag,
    Client,
    ExchangeAllowance,
    IdJagRule,
    Request,
    Scope,
    TokenExchange,
)
from oauthcore.clients.authentication import Authenticated
from oauthcore.flow.outcome import Replace
from oauthcore.grants.token_request import TokenRequest
from oauthcore.jose import crypto
from oauthcore.oidc.subject import subject_for
from oauthcore.possession import ProofOfPossession
from oauthcore.records.confirmation import Confirmation
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from oauthcore.wire.parameters import Parameters
from tests.core.grants import exchanging
from tests.core.grants.exchanging import (
    APP,
    CHAT,
    CHAT_API,
    CHAT_RULE,
    KEY,
    RESOURCE,
    claims_in,
    exchange,
    exchange_site,
    own_token,
    revocation,
    signed_in,
)
from tests.core.site import VERIFIER, Counted, Drive, Site, members, refused


def ask(site: Site, token: str, kind: str = "id_token", **changes: Any) -> Any:
    """Request an ID-JAG, rightly but for the changes."""
    values: dict[str, Any] = {"requested_token_type": "id-jag", "audience": CHAT, "resource": CHAT_API}
    return exchange(site, "app", token, kind, **(values | changes))


def asserted(site: Site, token: str, kind: str = "id_token", **changes: Any) -> Mapping[str, Any]:
    """Return the claims of an ID-JAG."""
    return claims_in(members(ask(site, token, kind, **changes))["access_token"])


def test_an_id_token_is_exchanged_for_an_assertion_of_who_its_user_is(drive: Drive) -> None:
    """H3: sections 3.1, 4.3.1 and 4.3.4."""
    site = exchange_site(drive)

    answer = members(ask(site, signed_in(site)["id_token"], scope="chat.read"))

    verified = crypto.verify(answer.pop("access_token"), [KEY.public], ["RS256"])
    assert answer == {
        "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag",
        "token_type": "N_A",
        "expires_in": 300,
        "scope": "chat.read",
    }
    assert verified.header["typ"] == "oauth-id-jag+jwt"
    claims = dict(verified.claims)
    assert len(str(claims.pop("jti"))) == 43
    assert claims == {
        "iss": "https://as.example",
        "sub": "alice",
        "aud": CHAT,
        "client_id": "app-at-chat",
        "exp": site.now + 300,
        "iat": site.now,
        "auth_time": site.now,
        "resource": CHAT_API,
        "scope": "chat.read",
        "email": "alice@wonderland.example",
        "email_verified": True,
    }
    assert site.events[-1].name == "id_jag_issued"


def test_a_refresh_token_is_exchanged_and_not_rotated() -> None:
    """Section 4.3.2."""
    site = exchange_site()
    refresh = signed_in(site)["refresh_token"]

    assert asserted(site, refresh, "refresh_token")["sub"] == "alice"
    assert asserted(site, refresh, "refresh_token")["email"] == "alice@wonderland.example"
    again = exchanging.ask(site, "app", grant_type="refresh_token", refresh_token=refresh)
    assert again.status == 200


def test_no_two_assertions_have_the_same_jti() -> None:
    site = exchange_site()
    token = signed_in(site)["id_token"]

    assert asserted(site, token)["jti"] != asserted(site, token)["jti"]


def test_the_metadata_names_it_where_a_rule_does() -> None:
    """H3: section 7."""
    name = "identity_chaining_requested_token_types_supported"
    where = "/.well-known/oauth-authorization-server"

    assert members(exchange_site().get(where))[name] == ["urn:ietf:params:oauth:token-type:id-jag"]
    assert name not in members(exchange_site(rules=[exchanging.BY_GATEWAY]).get(where))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": "https://evil.example"}, "invalid_target"),
        ({"audience": None}, "invalid_target"),
        ({"audience": [CHAT, "https://other.example"]}, "invalid_target"),
        ({"audience": CHAT + "/"}, "invalid_target"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"resource": [CHAT_API, "https://evil.example"]}, "invalid_target"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"actor_token": "a", "actor_token_type": "access_token"}, "invalid_request"),
        ({"subject_token_type": "access_token"}, "invalid_request"),
        ({"subject_token_type": "saml2"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_refused_by_its_own_error(changes: dict[str, Any], error: str) -> None:
    """H3: sections 4.3.3 and 4.3.4.3; RFC 8693 section 2.2.2."""
    site = exchange_site()

    assert refused(ask(site, signed_in(site)["id_token"], **changes), error)


def test_an_actor_token_is_not_ignored() -> None:
    """Section 8.5: it would overstate who is allowed what."""
    site = exchange_site()
    actor = own_token(site, "app")

    response = ask(site, signed_in(site)["id_token"], actor_token=actor, actor_token_type="access_token")

    assert refused(response, "invalid_request", "without an actor_token")


def test_an_access_token_is_no_identity_assertion_whatever_the_policy_says() -> None:
    allowed = AllowedIdJag(audience=CHAT, client_id="app-at-chat")
    site = exchange_site(rules=None, token_exchange=TokenExchange(decide=lambda _: allowed, id_jag=True))

    assert refused(ask(site, signed_in(site)["access_token"], "access_token"), "invalid_request", "ID token or")


def test_an_id_token_of_another_client_is_none_of_this_one_whatever_the_policy_says() -> None:
    """Section 4.3.3: the audience of the assertion MUST be the authenticated client."""
    allowed = AllowedIdJag(audience=CHAT, client_id="gateway-at-chat")
    site = exchange_site(rules=None, token_exchange=TokenExchange(decide=lambda _: allowed, id_jag=True))

    response = exchange(
        site, "gateway", signed_in(site)["id_token"], "id_token", requested_token_type="id-jag", audience=CHAT
    )

    assert refused(response, "invalid_request", "another client's")


@pytest.mark.parametrize("allowed", [AllowedExchange(audience=[CHAT]), AllowedIdJag(audience=CHAT, client_id="a")])
def test_a_policy_that_allows_another_type_allows_nothing(allowed: AllowedExchange | AllowedIdJag) -> None:
    site = exchange_site(rules=None, token_exchange=TokenExchange(decide=lambda _: allowed, id_jag=True))
    kind = "id-jag" if isinstance(allowed, AllowedExchange) else "access_token"

    response = ask(site, signed_in(site)["id_token"], requested_token_type=kind)

    assert refused(response, "invalid_request", "another type")


def test_a_public_client_has_none() -> None:
    """Section 8.1."""
    public = attrs.evolve(APP, token_endpoint_auth_method="none", grant_types=("authorization_code", GRANT_TYPE))
    site = exchange_site(clients=(public, RESOURCE))
    code = (
        str(site.approve(site.authorize(None, client_id="app", redirect_uri=None, scope="openid")).header("location"))
        .partition("code=")[2]
        .partition("&")[0]
    )
    token = members(site.token("app", grant_type="authorization_code", code=code, code_verifier=VERIFIER))["id_token"]
    urn = TOKEN_TYPE

    response = site.token(
        "app",
        grant_type=GRANT_TYPE,
        subject_token=token,
        subject_token_type=urn + "id_token",
        requested_token_type=urn + "id-jag",
        audience=CHAT,
    )

    assert refused(response, "unauthorized_client", "public")


def test_what_is_granted_of_the_scope_is_said() -> None:
    """Section 4.3.3: a part may be granted, and MUST be in the assertion."""
    site = exchange_site()
    token = signed_in(site)["id_token"]

    assert members(ask(site, token, scope="chat.read admin"))["scope"] == "chat.read"
    assert asserted(site, token, scope="chat.read admin")["scope"] == "chat.read"
    assert asserted(site, token)["scope"] == "chat.read chat.history"
    # A request that names no resource is for those of the rule, and never for all that the other server has.
    assert asserted(site, token, resource=None)["resource"] == asserted(site, token)["resource"]


def test_it_expires_no_later_than_the_subject_token_unless_that_is_allowed() -> None:
    for rule, seconds in ((CHAT_RULE, 100), (attrs.evolve(CHAT_RULE, allow=[ExchangeAllowance.OUTLIVE_SUBJECT]), 300)):
        site = exchange_site(rules=[rule])
        token = signed_in(site)["id_token"]
        site.clock.advance(200)

        assert members(ask(site, token))["expires_in"] == seconds


def test_the_email_address_is_there_only_if_the_user_let_the_client_know_it() -> None:
    site = exchange_site()
    assert "email" not in asserted(site, signed_in(site, "openid read")["id_token"])

    site = exchange_site(rules=[attrs.evolve(CHAT_RULE, email=False)])
    assert "email" not in asserted(site, signed_in(site)["id_token"])


def test_the_subject_is_the_one_of_sign_ins_at_the_audience() -> None:
    """Section 3.1: MUST be the same as in an ID token for the other server."""
    chat = Client(client_id="chat", redirect_uris=["https://chat.example/cb"], subject_type="pairwise")
    uri = "https://chat.example/sector.json"
    site = exchange_site(rules=[attrs.evolve(CHAT_RULE, sector_identifier_uri=uri)])

    assert asserted(site, signed_in(site)["id_token"])["sub"] == subject_for(chat, "alice", site.server.context())


def test_a_client_with_pairwise_subjects_is_not_shown_the_public_one() -> None:
    """OIDC Core section 8.1."""
    pairwise = attrs.evolve(APP, subject_type="pairwise")
    site = exchange_site(clients=(pairwise, RESOURCE))
    assert refused(ask(site, signed_in(site)["id_token"]), "unauthorized_client", "pairwise")

    opened = attrs.evolve(CHAT_RULE, allow=[ExchangeAllowance.PUBLIC_SUBJECT])
    site = exchange_site(clients=(pairwise, RESOURCE), rules=[opened])
    assert asserted(site, signed_in(site)["id_token"])["sub"] == "alice"


def test_it_is_bound_to_a_key_that_was_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Section 8.6.1.1: MUST include `cnf`."""
    proof = ProofOfPossession(Confirmation(jkt="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"))

    def proven(caller: Authenticated, parameters: Parameters, request: Request, _: None) -> TokenRequest:
        return TokenRequest(caller, parameters, request, proof)

    monkeypatch.setattr("oauthcore.endpoints.token.TokenRequest", proven)
    site = exchange_site()

    assert asserted(site, signed_in(site)["id_token"])["cnf"] == proof.confirmation.members


def test_an_ended_grant_gives_none() -> None:
    site = exchange_site()
    tokens = signed_in(site)
    site.handle(revocation("app", tokens["refresh_token"]))

    assert refused(ask(site, tokens["id_token"]), "invalid_request", "revoked")
    assert refused(ask(site, tokens["refresh_token"], "refresh_token"), "invalid_request", "revoked")


def test_an_assertion_is_no_token_of_this_server() -> None:
    """Section 8.3: no token is issued by an assertion of one's own."""
    site = exchange_site()
    assertion = members(ask(site, signed_in(site)["id_token"]))["access_token"]

    for kind in ("access_token", "jwt", "id_token"):
        assert refused(exchange(site, "app", assertion, kind), "invalid_request", "unknown")
    assert exchanging.introspected(site, assertion) == {"active": False}


def test_a_client_that_is_called_the_same_everywhere_needs_no_other_name() -> None:
    """Section 5: a client ID metadata document's URL is such a name."""
    rule = IdJagRule(client_ids=["https://app.example/client.json"], audience=CHAT)

    assert rule.client_id_there is None


def test_it_costs_two_finds_and_one_commit() -> None:
    site = exchange_site()
    token = signed_in(site)["id_token"]
    counted = Counted(site)

    assert ask(site, token).status == 200
    assert (counted.finds, counted.commits) == (2, 1)


def test_a_client_that_may_not_sign_users_in_any_more_asserts_nothing_of_them() -> None:
    site = exchange_site()
    token = signed_in(site)["id_token"]
    client = site.world.storage.find(Client, "app")
    assert client is not None
    without_email = attrs.evolve(client, scope=Scope(("openid", "read")))
    assert site.world.storage.commit([Replace(client, without_email)])
    assert "email" not in asserted(site, token)

    assert site.world.storage.commit([Replace(without_email, attrs.evolve(client, scope=Scope(("read",))))])

    assert refused(ask(site, token), "invalid_request")
