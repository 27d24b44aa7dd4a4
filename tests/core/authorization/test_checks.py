"""The checks of an authorization request: first those that must not redirect, then those that may."""

from __future__ import annotations

from typing import Any, get_args

import attrs
import pytest

from oauthcore import Allowance, Client, CodeBinding, Policy
from oauthcore.authorization.approve import relies_on_nonce
from oauthcore.authorization.checks import (
    CheckRequest,
    RedirectingEndpoint,
    RefusedObject,
    checks_at,
    prove_redirect,
    read_redirectable,
)
from oauthcore.authorization.checks import validate as validate_at
from oauthcore.authorization.draft import Draft
from oauthcore.authorization.requested_access import check_object
from oauthcore.authorization.requested_response import check_code_challenge, check_redirect_uri
from oauthcore.authorization.response_type import RESPONSE_TYPES
from oauthcore.authorization.validated import Redirectable, ValidatedRequest
from oauthcore.context import Context
from oauthcore.errors import (
    InvalidRequest,
    InvalidScope,
    OAuthError,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from oauthcore.openid import OpenID
from oauthcore.pkce import CodeChallenge
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.redirect_uri import ValidatedRedirect
from oauthcore.scope import Scope, as_scope
from oauthcore.signing.keys import GivenKeys
from tests.core.signing_keys import key_for
from tests.core.site import CHALLENGE, CONFIDENTIAL, PUBLIC, REDIRECT, make_site

CONTEXT = make_site().server.context()
REQUEST = AuthorizationRequest(
    client_id="confidential",
    response_type="code",
    redirect_uri=REDIRECT,
    scope="email",
    code_challenge=CHALLENGE,
    code_challenge_method="S256",
)
RELYING = attrs.evolve(CONFIDENTIAL, scope=as_scope("openid email"))
UNCHALLENGED = {"code_challenge": None, "code_challenge_method": None}
WITH_NONCE = {**UNCHALLENGED, "scope": "openid email", "nonce": "n-0S6"}


def redirectable(client: Client = CONFIDENTIAL, **changes: Any) -> Redirectable:
    """Return a request that is right but for the changes, its redirect proven."""
    return Redirectable(attrs.evolve(REQUEST, **changes), client, ValidatedRedirect(REDIRECT, given=True))


def validate(request: Redirectable, context: Context) -> ValidatedRequest:
    """Run the checks as the authorization endpoint does."""
    return validate_at(request, "authorization", context)


def test_a_right_request_passes_and_what_was_learned_is_kept() -> None:
    validated = validate(redirectable(), CONTEXT)

    assert validated.response.mode == "query"
    assert validated.access.scope == Scope(("email",))
    assert validated.response.code_challenge == CodeChallenge(CHALLENGE, "S256")
    assert validated.access.prompt == frozenset()


@pytest.mark.parametrize(
    ("client", "redirect_uri", "reason"),
    [
        (None, REDIRECT, "unknown"),
        (attrs.evolve(CONFIDENTIAL, enabled=False), REDIRECT, "disabled"),
        (attrs.evolve(CONFIDENTIAL, expires_at=CONTEXT.now), REDIRECT, "disabled"),
        (CONFIDENTIAL, "https://attacker.example/", "not registered"),
        (CONFIDENTIAL, REDIRECT + "?x=1", "not registered"),
        (PUBLIC, None, "not exactly one"),
        (attrs.evolve(CONFIDENTIAL, redirect_uris=()), None, "not exactly one"),
    ],
)
def test_before_the_redirect_is_proven_a_failure_has_nowhere_to_go(
    client: Client | None, redirect_uri: str | None, reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        prove_redirect(attrs.evolve(REQUEST, redirect_uri=redirect_uri), client, "resume", CONTEXT)


def test_the_only_registered_redirect_uri_may_be_left_out() -> None:
    proven = prove_redirect(attrs.evolve(REQUEST, redirect_uri=None), CONFIDENTIAL, "resume", CONTEXT)

    assert proven.redirect == ValidatedRedirect(REDIRECT, given=False)


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"request": "a.b.c"}, RequestNotSupported, "request"),
        ({"request_uri": "https://c.example/r"}, RequestUriNotSupported, "request_uri"),
        ({"response_type": None}, InvalidRequest, "response_type is missing"),
        ({"response_type": "coda"}, UnsupportedResponseType, "not offered"),
        ({"response_type": "token"}, UnsupportedResponseType, "not offered"),
        ({"response_type": "code code"}, UnsupportedResponseType, "not offered"),
        ({"response_mode": "post"}, InvalidRequest, "response_mode"),
        ({"scope": "email admin"}, InvalidScope, "not within"),
        ({"scope": 'e"mail'}, InvalidScope, "character"),
        ({"scope": "openid"}, InvalidScope, "does not offer OpenID Connect"),
        ({"code_challenge": None}, InvalidRequest, "without code_challenge"),
        ({"code_challenge": None, "code_challenge_method": None}, InvalidRequest, "policy demands"),
        ({"code_challenge": "short"}, InvalidRequest, "43 to 128"),
        ({"code_challenge_method": None}, InvalidRequest, "plain"),
        ({"code_challenge_method": "plain"}, InvalidRequest, "plain"),
        ({"code_challenge_method": "s256"}, InvalidRequest, "unknown"),
        ({"prompt": "none login"}, InvalidRequest, "combines none"),
    ],
)
def test_after_it_is_proven_each_failure_has_its_own_error(
    changes: dict[str, Any], error: type[OAuthError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        validate(redirectable(**changes), CONTEXT)


def test_a_client_gets_only_the_response_types_it_is_registered_for() -> None:
    with pytest.raises(UnauthorizedClient, match="response type"):
        validate(redirectable(attrs.evolve(CONFIDENTIAL, response_types=("none",))), CONTEXT)


def test_a_client_without_the_grant_type_gets_no_code() -> None:
    with pytest.raises(UnauthorizedClient, match="authorization_code"):
        validate(redirectable(attrs.evolve(CONFIDENTIAL, grant_types=("client_credentials",))), CONTEXT)


def test_a_public_client_needs_pkce_whatever_is_allowed() -> None:
    """RFC 9700 section 2.1.1."""
    lax = attrs.evolve(PUBLIC, allow=frozenset(Allowance))

    with pytest.raises(InvalidRequest, match="public"):
        validate(redirectable(lax, code_challenge=None, code_challenge_method=None), CONTEXT)


def openid_context(policy: Policy | None = None) -> Context:
    """Return the context of a provider."""
    return make_site(policy=policy, openid=OpenID(), keys=GivenKeys([key_for("RS256")])).server.context()


def test_a_nonce_stands_in_for_the_code_challenge_of_a_confidential_openid_client() -> None:
    """OAuth 2.1 section 7.5.1."""
    validated = validate(redirectable(RELYING, **WITH_NONCE), openid_context())

    assert validated.response.code_challenge is None
    assert relies_on_nonce(validated, openid_context())


@pytest.mark.parametrize(
    ("client", "changes"),
    [
        (RELYING, {"nonce": None}),
        (RELYING, {"scope": "email"}),
        (attrs.evolve(RELYING, token_endpoint_auth_method="none"), {}),
        (RELYING, {"code_challenge_method": "S256"}),
    ],
    ids=["no nonce", "no ID token", "public", "a method without its challenge"],
)
def test_a_nonce_is_worth_nothing_where_no_id_token_or_no_secret_comes_with_it(
    client: Client, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match="code_challenge"):
        validate(redirectable(client, **{**WITH_NONCE, **changes}), openid_context())


def test_a_nonce_is_worth_nothing_to_a_server_that_gives_no_id_tokens() -> None:
    draft = Draft(redirectable(RELYING, **WITH_NONCE).request, RELYING)
    draft.client, draft.scope, draft.response_type = RELYING, Scope(("openid",)), RESPONSE_TYPES["code"]

    with pytest.raises(InvalidRequest, match="code_challenge is missing"):
        check_code_challenge(draft, CONTEXT)


def test_a_policy_may_demand_pkce_beside_a_nonce() -> None:
    strict = openid_context(Policy.oauth21(code_binding=CodeBinding.PKCE))

    with pytest.raises(InvalidRequest, match="code_challenge is missing"):
        validate(redirectable(RELYING, **WITH_NONCE), strict)
    assert validate(redirectable(RELYING, nonce="n", scope="openid"), strict).response.code_challenge is not None


@pytest.mark.parametrize("by", ["policy", "client"])
def test_plain_pkce_is_taken_where_it_is_allowed_by_name(by: str) -> None:
    allow = frozenset({Allowance.PLAIN_PKCE})
    policy = Policy.oauth21(allow=allow if by == "policy" else ())
    client = attrs.evolve(CONFIDENTIAL, allow=allow if by == "client" else frozenset())
    context = make_site(policy=policy).server.context()

    validated = validate(redirectable(client, code_challenge_method=None), context)

    assert validated.response.code_challenge == CodeChallenge(CHALLENGE, "plain")


def test_response_type_none_needs_no_code_challenge() -> None:
    validated = validate(redirectable(response_type="none", code_challenge=None, code_challenge_method=None), CONTEXT)

    assert validated.response.code_challenge is None


def test_an_omitted_scope_is_the_clients_default() -> None:
    validated = validate(redirectable(attrs.evolve(CONFIDENTIAL, default_scope="read"), scope=None), CONTEXT)

    assert validated.access.scope == Scope(("read",))


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_a_code_may_travel_by_every_mode(mode: str) -> None:
    assert validate(redirectable(response_mode=mode), CONTEXT).response.mode == mode


def refused_by(request: Redirectable, context: Context) -> tuple[CheckRequest, OAuthError]:
    """Return the check that refuses a request, and its error."""
    draft = Draft(request.request, request.client)
    for check in checks_at("authorization", has_openid=context.openid is not None, has_resources=True):
        try:
            check.function(draft, context)
        except OAuthError as error:
            return check, error
    raise AssertionError("nothing refuses it")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"redirect_uri": "https://attacker.example/"}, "redirect_uri"),
        ({"state": "s" * 9_000}, "the parameters are short"),
        ({"request_uri": "https://client.example/object"}, "a request object"),
        ({"registration": "{}"}, "no client registers itself"),
        ({"id_token_hint": "x.y.z"}, "id_token_hint"),
        ({"display": "wall"}, "display"),
        ({"response_type": "coda"}, "response_type"),
        ({"response_mode": "post"}, "response_mode"),
        ({"prompt": "none login"}, "prompt"),
        ({"scope": "email admin"}, "scope"),
        ({"claims": "[]"}, "claims can be read"),
        ({"claims": '{"id_token": {"sub": {"value": 1}}}'}, "the values that claims asks for"),
        ({"max_age": "-1"}, "max_age"),
        ({"code_challenge": "short"}, "code_challenge"),
    ],
)
def test_what_a_check_raises_is_what_its_row_says(changes: dict[str, Any], name: str) -> None:
    request = redirectable(RELYING, **{"scope": "openid email", **changes})

    check, error = refused_by(request, openid_context())

    assert check.name.startswith(name)
    assert type(error) in check.errors


@pytest.mark.parametrize("has_openid", [False, True])
@pytest.mark.parametrize("endpoint", get_args(RedirectingEndpoint))
def test_every_endpoint_makes_a_whole_of_its_checks(endpoint: RedirectingEndpoint, has_openid: bool) -> None:
    context = openid_context() if has_openid else CONTEXT

    proven = prove_redirect(REQUEST, CONFIDENTIAL, endpoint, context)

    assert proven == redirectable()
    assert validate_at(proven, endpoint, context) == validate(redirectable(), context)


@pytest.mark.parametrize("endpoint", get_args(RedirectingEndpoint))
def test_nothing_is_sent_to_a_redirect_uri_before_it_is_known_to_be_the_clients(endpoint: RedirectingEndpoint) -> None:
    checks = checks_at(endpoint, has_openid=True, has_resources=True)
    proving = next(number for number, check in enumerate(checks) if check.function is check_redirect_uri)

    # What is told of a request object waits until then.
    assert [check.failure for check in checks[: proving + 1] if check.function is not check_object] == ["page"] * 2
    assert {check.failure for check in checks[proving + 1 :]} == {"redirect"}


def test_a_request_object_that_can_not_be_used_is_told_to_the_client_only_where_its_redirect_uri_is_proven() -> None:
    request = attrs.evolve(REQUEST, request="a", request_uri="b")

    told = read_redirectable(request, CONFIDENTIAL, "authorization", CONTEXT)

    assert isinstance(told, RefusedObject)
    assert told.redirectable == Redirectable(request, CONFIDENTIAL, ValidatedRedirect(REDIRECT, given=True))
    elsewhere = attrs.evolve(request, redirect_uri="https://attacker.example/")
    with pytest.raises(InvalidRequest, match="not registered"):
        read_redirectable(elsewhere, CONFIDENTIAL, "authorization", CONTEXT)
