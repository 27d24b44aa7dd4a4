"""What a profile demands of an authorization request: refused as a check, or reported when it is answered."""

from __future__ import annotations

from oauthcore.authorization.draft import Draft
from oauthcore.authorization.validated import ValidatedRequest
from oauthcore.context import Context
from oauthcore.flow.outcome import Event, profile_events
from oauthcore.pkce import CodeChallenge
from oauthcore.profiles.rule import AuthorizationTraits
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest


def check_profile(draft: Draft, context: Context) -> None:
    """Check that a request obeys the rules of the server's profile, unless that is only reported."""
    if context.profile is None or context.profile.report_only:
        return
    traits = traits_of(
        draft.request,
        draft.client,
        draft.code_challenge,
        is_pushed=draft.is_pushed,
        is_jwt_response=draft.is_jwt_response,
    )
    context.profile.refuse(context.profile.broken_by_authorization(traits))


def reported(validated: ValidatedRequest, context: Context) -> tuple[Event, ...]:
    """Return an event for each rule that an answered request breaks, where that is only reported."""
    if context.profile is None or not context.profile.report_only:
        return ()
    request, client = validated.access.request, validated.access.client
    traits = traits_of(
        request,
        client,
        validated.response.code_challenge,
        is_pushed=request.pushed is not None,
        is_jwt_response=validated.response.is_jwt,
    )
    return profile_events((rule.name for rule in context.profile.broken_by_authorization(traits)), client.client_id)


def traits_of(
    request: AuthorizationRequest,
    client: Client,
    code_challenge: CodeChallenge | None,
    *,
    is_pushed: bool,
    is_jwt_response: bool,
) -> AuthorizationTraits:
    """Return what the rules of a profile look at."""
    return AuthorizationTraits(
        client=client,
        response_type=str(request.response_type),
        is_jwt_response=is_jwt_response,
        code_challenge=code_challenge,
        is_redirect_uri_sent=request.redirect_uri is not None,
        is_pushed=is_pushed,
        object_signing_alg=request.object_signing_alg,
        nonce=request.nonce,
    )
