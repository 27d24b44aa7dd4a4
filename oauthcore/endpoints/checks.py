"""The checks other than those of an authorization request, one row each: for readers, and for `oauthcore replay`.

Those of an authorization request are run from their table (`authorization/checks.py`). The checks here are called by
the flows to which they belong, and are listed in the order in which a request reaches them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from oauthcore.assertions import verified
from oauthcore.authorization import approve, next_step, pushed
from oauthcore.check import Check
from oauthcore.clients import authentication
from oauthcore.endpoints import end_session, introspection, resume, revocation, userinfo
from oauthcore.errors import (
    AccessDenied,
    AccountSelectionRequired,
    ConsentRequired,
    IdTokenOfAnotherClient,
    InsufficientScope,
    InteractionOver,
    InteractionRequired,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    InvalidToken,
    LoginRequired,
    OtherBrowser,
    PushedRequestOver,
    RepeatedParameter,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnregisteredPostLogoutRedirectUri,
)
from oauthcore.grants import (
    audience,
    authorization_code,
    client_credentials,
    device_code,
    id_jag,
    jwt_bearer,
    password,
    refresh_token,
    subject_token,
)
from oauthcore.grants import token_exchange as exchange
from oauthcore.pkce import check_verifier
from oauthcore.token_exchange import TokenExchange
from oauthcore.wire import parameters

AnyCheck: TypeAlias = Check[Callable[..., object]]

_BY_CLIENTS = ("token", "introspection", "revocation", "device_authorization", "pushed_authorization_request")

CHECKS: tuple[AnyCheck, ...] = (
    # Requests in general.
    Check(
        "each parameter comes once",
        parameters.parse_form,
        "RFC 6749 section 3.1",
        (RepeatedParameter, InvalidRequest),
        "response",
        ("authorization", "resume", "end_session", *_BY_CLIENTS),
    ),
    Check(
        "the body is a form",
        parameters.form_of,
        "RFC 6749 section 3.2",
        (InvalidRequest,),
        "response",
        ("authorization", "end_session", "userinfo", *_BY_CLIENTS),
    ),
    # Who is calling.
    Check(
        "the client authenticates in one way",
        authentication.read_credentials,
        "RFC 6749 section 2.3",
        (InvalidClient, InvalidRequest),
        "response",
        _BY_CLIENTS,
    ),
    Check(
        "the client has proven who it is, by the method that it is registered for",
        authentication.decide,
        "RFC 6749 section 2.3",
        (InvalidClient,),
        "response",
        _BY_CLIENTS,
    ),
    # What the user still has to be asked.
    Check(
        "the person can be asked for what is needed",
        next_step.refusal_without_page,
        "OIDC Core section 3.1.2.6",
        (LoginRequired, ConsentRequired, AccountSelectionRequired, InteractionRequired),
        "redirect",
        ("authorization",),
    ),
    Check(
        "who has just signed in did so in the way that is essential",
        next_step.next_step,
        "OIDC Core section 5.5.1.1",
        (UnmetAuthenticationRequirements,),
        "redirect",
        ("authorization", "interaction", "resume"),
    ),
    Check(
        "request_uri names a request that this client has pushed, and that was not answered yet",
        pushed.read_pushed,
        "RFC 9126 section 4",
        (PushedRequestOver,),
        "page",
        ("authorization",),
    ),
    Check(
        "no other interaction with the same pushed request was answered",
        pushed.spending,
        "RFC 9126 section 7.3",
        (InteractionOver,),
        "page",
        ("authorization", "resume"),
    ),
    Check(
        "the interaction lives, and was started and answered in this browser",
        resume.prove_own,
        "RFC 6749 section 10.12",
        (InteractionOver, OtherBrowser),
        "page",
        ("resume",),
    ),
    Check(
        "the person has allowed the ID token that the request hangs on",
        approve.check_id_token_allowed,
        "OIDC Core section 3.1.2.4",
        (AccessDenied,),
        "redirect",
        ("authorization", "resume"),
    ),
    # What is exchanged for tokens.
    Check(
        "the device code is the client's",
        device_code.prove_own,
        "RFC 8628 section 3.4",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "the code lives, and is this client's and this redirect URI's",
        authorization_code.prove_own,
        "RFC 6749 section 4.1.3",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "code_verifier matches the code's challenge",
        check_verifier,
        "RFC 7636 section 4.6",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "the code is redeemed for the first time, and its grant lives",
        authorization_code.decide,
        "RFC 6749 section 4.1.2",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "scope is within what was allowed",
        refresh_token.allowed_scope,
        "RFC 6749 section 6",
        (InvalidScope, InvalidGrant),
        "response",
        ("token",),
    ),
    Check(
        "resource names what the grant is for",
        audience.audience_within,
        "RFC 8707 section 2.2",
        (InvalidTarget,),
        "response",
        ("token",),
    ),
    Check(
        "the refresh token was not used before",
        refresh_token.reuse,
        "RFC 9700 section 4.14.2",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "the refresh token lives, and is this client's",
        refresh_token.decide,
        "RFC 6749 section 6",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "the client has credentials to be granted a token for",
        client_credentials.decide,
        "RFC 6749 section 4.4",
        (UnauthorizedClient, InvalidScope),
        "response",
        ("token",),
    ),
    Check(
        "username and password are a person's",
        password.decide,
        "RFC 6749 section 4.3",
        (InvalidGrant, InvalidScope),
        "response",
        ("token",),
    ),
    Check(
        "a trusted issuer has made the assertion, for this server, and it is in time",
        verified.verify_assertion,
        "RFC 7523 section 3",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "the assertion stands for somebody here",
        jwt_bearer.subject_of,
        "RFC 7521 section 5.2",
        (InvalidGrant,),
        "response",
        ("token",),
    ),
    Check(
        "the client may present the assertion",
        jwt_bearer.check_presenter,
        "draft-ietf-oauth-identity-assertion-authz-grant section 4.4.1",
        (InvalidGrant, UnauthorizedClient),
        "response",
        ("token",),
    ),
    Check(
        "the token is for a resource that the assertion is for",
        jwt_bearer.resources_of,
        "RFC 8707 section 2.2",
        (InvalidGrant, InvalidTarget),
        "response",
        ("token",),
    ),
    Check(
        "the assertion was not used before, and its user may be served",
        jwt_bearer.decide,
        "RFC 7523 section 3",
        (InvalidGrant, InvalidScope),
        "response",
        ("token",),
    ),
    Check(
        "the token exchange names tokens by types that are taken, and requests one that is issued",
        exchange.read_exchange,
        "RFC 8693 section 2.1",
        (InvalidRequest, InvalidTarget, InvalidScope),
        "response",
        ("token",),
    ),
    Check(
        "subject and actor token live",
        subject_token.prove_live,
        "RFC 8693 section 2.2.2",
        (InvalidRequest,),
        "response",
        ("token",),
    ),
    Check(
        "the actor token is the client's own",
        exchange.prove_actor,
        "RFC 8693 section 2.1",
        (InvalidRequest,),
        "response",
        ("token",),
    ),
    Check(
        "a rule allows the exchange, for this audience",
        TokenExchange.allowed,
        "RFC 8693 section 2.2.2",
        (UnauthorizedClient, InvalidRequest, InvalidTarget),
        "response",
        ("token",),
    ),
    Check(
        "the subject token's key was proven, if it is bound to one",
        exchange.check_binding,
        "RFC 9449 section 7.2",
        (InvalidRequest,),
        "response",
        ("token",),
    ),
    Check(
        "the client may exchange the subject token for an access token",
        exchange.terms_of,
        "RFC 8693 section 2.1",
        (UnauthorizedClient, InvalidRequest),
        "response",
        ("token",),
    ),
    Check(
        "no resource of the exchange is other clients'",
        exchange.audience_of,
        "RFC 8693 section 2.1.1",
        (InvalidTarget,),
        "response",
        ("token",),
    ),
    Check(
        "the scope of the exchange is within the subject token's",
        exchange.scope_of,
        "RFC 8693 section 2.1",
        (InvalidScope,),
        "response",
        ("token",),
    ),
    Check(
        "who acts is named by the subject token's may_act, and the chain of actors is short",
        exchange.actors_of,
        "RFC 8693 section 4",
        (InvalidRequest,),
        "response",
        ("token",),
    ),
    Check(
        "the client may have an assertion of its user for the audience",
        id_jag.id_jag,
        "draft-ietf-oauth-identity-assertion-authz-grant section 4.3.3",
        (UnauthorizedClient, InvalidRequest, InvalidTarget, InvalidScope),
        "response",
        ("token",),
    ),
    # Requests about tokens.
    Check(
        "the client can be told about tokens",
        introspection.decide,
        "RFC 7662 section 2.1",
        (InvalidClient,),
        "response",
        ("introspection",),
    ),
    Check(
        "the token is the client's",
        revocation.decide,
        "RFC 7009 section 2.1",
        (InvalidGrant,),
        "response",
        ("revocation",),
    ),
    Check(
        "the access token comes in one way",
        userinfo.read_token,
        "RFC 6750 section 2",
        (InvalidRequest,),
        "response",
        ("userinfo",),
    ),
    Check(
        "the access token lives, and opens this endpoint",
        userinfo.prove_entitled,
        "OIDC Core section 5.3",
        (InvalidToken, InsufficientScope),
        "response",
        ("userinfo",),
    ),
    # Where a browser goes after signing out.
    Check(
        "the hint is the client's, and so is post_logout_redirect_uri",
        end_session.check_request,
        "OIDC RP-Initiated Logout section 3",
        (IdTokenOfAnotherClient, UnregisteredPostLogoutRedirectUri, InvalidRequest),
        "page",
        ("end_session",),
    ),
)
