"""`oauthcore client update`, `disable` and `enable`: what changes of a client while it keeps what it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from oauthcore import Client
from oauthcore.policy import UnknownScopeName
from oauthcore.records.client import AuthenticationMethod
from oauthcore_h11.cli.clients import allowance_of, clients, scope_of
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, say
from oauthcore_h11.cli.workplace import workplace
from oauthcore_h11.declarations import jwks_in

Several = Annotated[tuple[str, ...] | None, Parameter(negative="")]
YesOrNo = bool | None


@clients.command
def update(
    client_id: str,
    /,
    *,
    name: str | None = None,
    redirect_uri: Several = None,
    scope: str | None = None,
    default_scope: str | None = None,
    unknown_scope: UnknownScopeName | Literal[""] | None = None,
    grant_type: Several = None,
    response_type: Several = None,
    auth_method: AuthenticationMethod | None = None,
    auth_signing_alg: str | None = None,
    id_token_claims: YesOrNo = None,
    jwks_uri: str | None = None,
    jwks_file: Path | None = None,
    request_uri: Several = None,
    request_signing_alg: str | None = None,
    require_signed_request: YesOrNo = None,
    post_logout_redirect_uri: Several = None,
    backchannel_logout_uri: str | None = None,
    frontchannel_logout_uri: str | None = None,
    organization_name: str | None = None,
    client_uri: str | None = None,
    allow: Several = None,
    introspects_any: YesOrNo = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Change settings of a client. What is not named stays; a blank value takes a setting away.

    An option that may be given several times names all of its values. What is taken out ends at once, in tokens that
    were issued before, too; the secret stays, unless it can't serve another method of authentication.

    Parameters
    ----------
    client_id
        The client.
    name
        What people call it.
    redirect_uri
        Where answers may be sent; may be given several times.
    scope
        What it may ask for at most, separated by spaces.
    default_scope
        What it means that a request names no scope.
    unknown_scope
        What becomes of a scope that it asks for and is not registered with; what the policy says if blank.
    grant_type
        What it may use at the token endpoint; may be given several times.
    response_type
        What it may ask the authorization endpoint for, as "code id_token"; may be given several times.
    auth_method
        How it authenticates at the token endpoint.
    auth_signing_alg
        The one algorithm that it signs its assertions by.
    id_token_claims
        Put what the scopes profile, email, address and phone stand for into its ID tokens, as well as at UserInfo.
    jwks_uri
        Where its public keys are, an https URL.
    jwks_file
        Its public keys, as a JWK set, where it does not publish them.
    request_uri
        Where its request objects may be, an https URL; may be given several times.
    request_signing_alg
        The one algorithm that it signs its request objects by.
    require_signed_request
        It sends every authorization request as a request object, and none that is not signed is from it.
    post_logout_redirect_uri
        Where people may be sent back who have signed out; may be given several times.
    backchannel_logout_uri
        Where this server tells it that a session has ended, an https URL.
    frontchannel_logout_uri
        What is opened in the person's browser when a session has ended, an https URL on the host of a redirect URI.
    organization_name
        Who runs it, as people are told when they are asked.
    client_uri
        Its site, an https URL that people are shown.
    allow
        Open for this client alone what the policy keeps shut; may be given several times.
    introspects_any
        It is a resource server that may ask about every access token.
    config
        The configuration file.
    as_json
        Say it as one line of JSON.
    """
    named: dict[str, object] = {
        "name": name,
        "redirect_uris": values(redirect_uri),
        "scope": None if scope is None else scope_of("--scope", scope),
        "default_scope": default_scope and scope_of("--default-scope", default_scope),
        "unknown_scope": unknown_scope,
        "grant_types": values(grant_type),
        "response_types": values(response_type),
        "token_endpoint_auth_method": auth_method,
        "token_endpoint_auth_signing_alg": auth_signing_alg,
        "id_token_claims": id_token_claims,
        "jwks_uri": jwks_uri,
        "jwks": None if jwks_file is None else jwks_in("--jwks-file", jwks_file),
        "request_uris": values(request_uri),
        "request_object_signing_alg": request_signing_alg,
        "require_signed_request_object": require_signed_request,
        "post_logout_redirect_uris": values(post_logout_redirect_uri),
        "backchannel_logout_uri": backchannel_logout_uri,
        "frontchannel_logout_uri": frontchannel_logout_uri,
        "organization_name": organization_name,
        "client_uri": client_uri,
        "allow": None if allow is None else [allowance_of(word) for word in allow if word],
        "introspects_any": introspects_any,
    }
    settings = {setting: blank(value) for setting, value in named.items() if value is not None}
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        changed = place.flow(place.server.clients.update(client_id, **settings))
    members = {"client_id": client_id, "updated": sorted(settings)}
    sentence = f"{client_id} is updated."
    if changed.secret is not None:
        members["client_secret"] = changed.secret.reveal()
        sentence += f"\nclient_secret {changed.secret.reveal()}\nThe one before it is over; this is shown this once."
    say(members, sentence, as_json=as_json)


@clients.command
def disable(client_id: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Serve a client no more, until it is enabled again; none of its tokens is good meanwhile.

    Parameters
    ----------
    client_id
        The client.
    config
        The configuration file.
    as_json
        Say it as one line of JSON.
    """
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        place.flow(place.server.clients.disable(client_id))
    say({"client_id": client_id, "enabled": False}, f"{client_id} is disabled.", as_json=as_json)


@clients.command
def enable(client_id: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Serve a client again that was disabled; tokens that have not expired meanwhile are good again.

    Parameters
    ----------
    client_id
        The client.
    config
        The configuration file.
    as_json
        Say it as one line of JSON.
    """
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        place.flow(place.server.clients.enable(client_id))
    say({"client_id": client_id, "enabled": True}, f"{client_id} is enabled.", as_json=as_json)


def values(given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the values of an option that may be given several times; a blank one stands for none."""
    return None if given is None else tuple(value for value in given if value)


def blank(value: object) -> object:
    """Return what a setting is to be: None for a blank value."""
    return None if value == "" else value
