"""The checks of an authorization request, one row each, in their order: the order is policy (RFC 6749 section 4.1.2.1).

First come the checks whose failure must not redirect, since the redirect URI is not yet verified. Then come those whose
failure is reported to the client: first the requested access, then how the response is to be delivered. docs/checks.md
is generated from this table, and `oauthcore replay` prints which of its rows have passed.

To make another endpoint accept authorization requests, add its name to the rows that apply: to all of them if it
redirects in the end, otherwise only to those of `requested_access`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from oauthcore.authorization import requested_access as access
from oauthcore.authorization import requested_response as response
from oauthcore.authorization.draft import Draft
from oauthcore.authorization.profiled import check_profile
from oauthcore.authorization.unstored import check_length
from oauthcore.authorization.validated import Redirectable, RequestedAccess, RequestedResponse, ValidatedRequest
from oauthcore.check import Check
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.errors import (
    DisabledClient,
    InvalidAuthorizationDetails,
    InvalidRequest,
    InvalidRequestObject,
    InvalidRequestUri,
    InvalidScope,
    InvalidTarget,
    LoginRequired,
    MissingRedirectUri,
    OAuthError,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnknownClient,
    UnregisteredRedirectUri,
    UnsupportedResponseType,
)
from oauthcore.handle import TooMuchToCarry
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest

CheckRequest: TypeAlias = Check[Callable[[Draft, Context], None]]

RedirectingEndpoint = Literal["authorization", "interaction", "resume"]
"""Where a request is checked: as it comes, when the application looks at it or answers it, and when it goes on."""

PushingEndpoint = Literal["pushed_authorization_request"]
"""Where a request is checked that its client pushes (RFC 9126), before a browser brings it: all failures are in the
response. It is checked again as it comes, since the client may have changed.
"""

DirectEndpoint = Literal["device_authorization", "device", "backchannel_authentication"]
"""Where a request is checked that is answered by no redirect: of a device (RFC 8628) as it comes, and when its user
looks at it or answers it; of a client whose user is elsewhere (CIBA Core section 7) likewise, by one name.

All of its checks are of the access, and their failures are in the response.
"""

EndpointName = PushingEndpoint | RedirectingEndpoint | DirectEndpoint

# Whatever can change while a person is at the pages is checked each time, on what is stored then.
_PUSHED: tuple[EndpointName, ...] = get_args(PushingEndpoint)
_FIRST: tuple[EndpointName, ...] = (*_PUSHED, "authorization")
_LATER: tuple[EndpointName, ...] = get_args(RedirectingEndpoint)
_REDIRECTING: tuple[EndpointName, ...] = (*_PUSHED, *_LATER)
_ALL: tuple[EndpointName, ...] = (*_REDIRECTING, *get_args(DirectEndpoint))

CHECKS: tuple[CheckRequest, ...] = (
    Check(
        "client_id names a client that may be served",
        access.check_client,
        "RFC 6749 section 4.1.2.1",
        (UnknownClient, DisabledClient),
        "page",
        _ALL,
    ),
    Check(
        "request_uri is not what is pushed",
        access.check_no_request_uri,
        "RFC 9126 section 2.1",
        (InvalidRequest,),
        "redirect",
        _PUSHED,
    ),
    # Before the redirect URI, since that may be in the object. An error goes to the redirect URI beside the object.
    Check(
        "a request object is the client's, for this server, and in time",
        access.check_object,
        "RFC 9101 section 6",
        (InvalidRequest, InvalidRequestObject, InvalidRequestUri, RequestNotSupported),
        "redirect",
        _FIRST,
    ),
    Check(
        "redirect_uri is one of the client's",
        response.check_redirect_uri,
        "RFC 6749 section 3.1.2.3",
        (MissingRedirectUri, UnregisteredRedirectUri),
        "page",
        _REDIRECTING,
    ),
    # From here on, errors go to the client.
    Check(
        "the request was pushed, where the client or the server requires that",
        access.check_pushed,
        "RFC 9126 section 5",
        (InvalidRequest,),
        "redirect",
        ("authorization",),
    ),
    # Cheap checks, and those that detect a request for another server, come first.
    Check(
        "the parameters are short enough to wait for a person",
        check_length,
        "RFC 6749 section 4.1.2.1",
        (TooMuchToCarry,),
        "redirect",
        (*_FIRST, "device_authorization", "backchannel_authentication"),
    ),
    Check(
        "no request object comes that is not taken",
        access.check_no_object,
        "OIDC Core section 3.1.2.6",
        (RequestNotSupported, RequestUriNotSupported),
        "redirect",
        _ALL,
    ),
    Check(
        "no client registers itself with its request",
        access.check_no_registration,
        "OIDC Core section 3.1.2.6",
        (RegistrationNotSupported,),
        "redirect",
        _REDIRECTING,
        needs_openid=True,
    ),
    # Not as it is pushed: a hint is verified when the browser comes.
    Check(
        "id_token_hint is verified where nobody can be asked",
        access.check_hint,
        "OIDC Core section 3.1.2.1",
        (LoginRequired,),
        "redirect",
        _LATER,
        needs_openid=True,
    ),
    Check(
        "display is known",
        access.check_display,
        "OIDC Core section 3.1.2.1",
        (InvalidRequest,),
        "redirect",
        _REDIRECTING,
        needs_openid=True,
    ),
    Check(
        "prompt can be obeyed",
        access.check_prompt,
        "OIDC Core section 3.1.2.1",
        (InvalidRequest,),
        "redirect",
        _ALL,
    ),
    # Before the scope, which is looked at by the resources that it is for.
    Check(
        "resource names what the client may have tokens for",
        access.check_resource,
        "RFC 8707 section 2",
        (InvalidTarget,),
        "redirect",
        _ALL,
        needs_resources=True,
    ),
    Check(
        "scope is one that the client may ask for",
        access.check_scope,
        "RFC 6749 section 3.3",
        (InvalidScope,),
        "redirect",
        _ALL,
    ),
    Check(
        "authorization_details are of types that the server knows, and the client is registered for",
        access.check_details,
        "RFC 9396 section 5",
        (InvalidAuthorizationDetails,),
        "redirect",
        _REDIRECTING,
    ),
    Check(
        "authorization_details are requested where a page can show them",
        access.check_no_details,
        "RFC 9396 section 2",
        (InvalidAuthorizationDetails,),
        "redirect",
        get_args(DirectEndpoint),
    ),
    Check(
        "claims can be read",
        access.check_claims,
        "OIDC Core section 5.5",
        (InvalidRequest,),
        "redirect",
        _ALL,
        needs_openid=True,
    ),
    Check(
        "the values that claims asks for are such as there can be",
        access.check_claim_values,
        "OIDC Core section 5.5.1",
        (InvalidRequest,),
        "redirect",
        _ALL,
        needs_openid=True,
    ),
    Check(
        "max_age is a number of seconds",
        access.check_max_age,
        "OIDC Core section 3.1.2.1",
        (InvalidRequest,),
        "redirect",
        _ALL,
    ),
    Check(
        "acr_values without OpenID Connect are essential",
        access.check_acr_values,
        "RFC 9470 section 5",
        (),
        "redirect",
        _ALL,
    ),
    # The requested access is known. These check the response: what is issued, how it is delivered, and what binds it.
    Check(
        "response_type is offered, and the client is registered for it",
        response.check_response_type,
        "RFC 6749 section 3.1.1",
        (InvalidRequest, UnsupportedResponseType, UnauthorizedClient),
        "redirect",
        _REDIRECTING,
    ),
    Check(
        "response_mode goes with the response type",
        response.check_response_mode,
        "Multiple Response Types section 3",
        (InvalidRequest,),
        "redirect",
        _REDIRECTING,
    ),
    # These depend on the response type and the scope: no refresh token without a code, no nonce without an ID token.
    Check(
        "offline_access is left out where it is to be ignored",
        response.check_offline_access,
        "OIDC Core section 11",
        (),
        "redirect",
        _REDIRECTING,
        needs_openid=True,
    ),
    Check(
        "an ID token is asked for with scope openid, and with a nonce where it comes at once",
        response.check_id_token,
        "OIDC Core section 3.2.2.1",
        (InvalidRequest,),
        "redirect",
        _REDIRECTING,
    ),
    Check(
        "code_challenge is there where one is due",
        response.check_code_challenge,
        "RFC 9700 section 2.1.1",
        (InvalidRequest,),
        "redirect",
        _REDIRECTING,
    ),
    Check(
        "dpop_jkt can be the thumbprint of a key",
        response.check_dpop_jkt,
        "RFC 9449 section 10",
        (InvalidRequest,),
        "redirect",
        _REDIRECTING,
    ),
    # Last, since the rules look at what the other checks have made of the request.
    Check(
        "the request obeys the server's profile",
        check_profile,
        "FAPI 2.0 Security Profile section 5.3.2",
        (InvalidRequest, UnauthorizedClient),
        "redirect",
        _REDIRECTING,
    ),
)

Rows: TypeAlias = tuple[CheckRequest, ...]


def checks_at(endpoint: EndpointName, *, has_openid: bool, has_resources: bool) -> Rows:
    """Return the checks of an endpoint, in their order."""
    return tuple(
        check
        for check in CHECKS
        if endpoint in check.endpoints
        and (has_openid or not check.needs_openid)
        and (has_resources or not check.needs_resources)
    )


def _divided(checks: Rows) -> tuple[Rows, Rows]:
    """Divide checks after the last one that is answered by a page: what passed so far may be answered by a redirect."""
    last = max(number for number, check in enumerate(checks) if check.failure == "page")
    return checks[: last + 1], checks[last + 1 :]


_ROWS = {
    (endpoint, has_openid, has_resources): _divided(
        checks_at(endpoint, has_openid=has_openid, has_resources=has_resources)
    )
    for endpoint in _ALL
    for has_openid in (False, True)
    for has_resources in (False, True)
}


@per_request
class RefusedObject:
    """Hold why a request object is refused, and the redirect URI for that error: the one beside the object."""

    redirectable: Redirectable
    error: OAuthError


def read_redirectable(
    request: AuthorizationRequest, client: Client | None, endpoint: RedirectingEndpoint, context: Context
) -> Redirectable | RefusedObject:
    """Run the first checks of a new request, until its redirect URI is verified.

    An error for the client is kept until then; an error that is shown on a page is raised.
    """
    draft, refused = Draft(request, client, request.pushed is not None), None
    for check in _ROWS[endpoint, context.openid is not None, context.resources is not None][0]:
        try:
            check.function(draft, context)
        except OAuthError as error:
            if check.failure == "page":
                raise explain(error, client, context) from None
            refused = error
    redirectable = Redirectable(draft.request, draft.client, draft.redirect)
    return redirectable if refused is None else RefusedObject(redirectable, refused)


def prove_redirect(
    request: AuthorizationRequest, client: Client | None, endpoint: RedirectingEndpoint, context: Context
) -> Redirectable:
    """Run the checks of a stored request whose failure is an error page; raises it."""
    draft = Draft(request, client, request.pushed is not None)
    try:
        for check in _ROWS[endpoint, context.openid is not None, context.resources is not None][0]:
            check.function(draft, context)
    except OAuthError as error:
        raise explain(error, client, context) from None
    return Redirectable(draft.request, draft.client, draft.redirect)


def validate(redirectable: Redirectable, endpoint: RedirectingEndpoint, context: Context) -> ValidatedRequest:
    """Run the checks whose failure is sent back to the client; raises it."""
    draft = Draft(redirectable.request, redirectable.client, redirectable.request.pushed is not None)
    draft.client = redirectable.client
    for check in _ROWS[endpoint, context.openid is not None, context.resources is not None][1]:
        check.function(draft, context)
    return ValidatedRequest(
        _access(draft),
        RequestedResponse(
            redirectable, draft.response_type, draft.response_mode, draft.code_challenge, draft.is_jwt_response
        ),
    )


def validate_access(
    request: AuthorizationRequest,
    client: Client | None,
    endpoint: DirectEndpoint,
    context: Context,
) -> RequestedAccess:
    """Run the checks of a request that is answered by no redirect; raises what the first failure is answered with."""
    draft = Draft(request, client)
    for rows in _ROWS[endpoint, context.openid is not None, context.resources is not None]:
        for check in rows:
            check.function(draft, context)
    return _access(draft)


def validate_pushed(request: AuthorizationRequest, client: Client, context: Context) -> AuthorizationRequest:
    """Run the checks of a request that a client pushes, and return it as it is to be kept; raises what fails first."""
    draft = Draft(request, client, is_pushed=True)
    for rows in _ROWS["pushed_authorization_request", context.openid is not None, context.resources is not None]:
        for check in rows:
            check.function(draft, context)
    return draft.request


def _access(draft: Draft) -> RequestedAccess:
    return RequestedAccess(
        draft.request,
        draft.client,
        draft.scope,
        draft.resources,
        draft.prompt,
        draft.max_age,
        draft.claims,
        draft.claims_beside_scope,
        draft.subjects,
        draft.essential_acr,
        draft.details,
    )
