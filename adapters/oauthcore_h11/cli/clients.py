"""`oauthcore client`: the applications that may ask for tokens."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import App, Parameter

from oauthcore import Allowance, Client, ConfigurationError, Scope
from oauthcore.clients.client_secret_jwt import is_kept
from oauthcore.errors import OAuthError
from oauthcore.policy import UnknownScopeName
from oauthcore.records.client import AuthenticationMethod
from oauthcore.scope import parse_scope
from oauthcore_h11.cli.notes import notes
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, moment, say, show
from oauthcore_h11.cli.workplace import Workplace, workplace
from oauthcore_h11.declarations import jwks_in, reads_id_tokens, response_types_for

clients = App(name="client", help="Register clients, list them, give them new secrets.")

Flag = Annotated[bool, Parameter(negative="")]

# A day is what it takes to bring a new secret to every instance of a client.
OVERLAP = 86_400


@clients.command
def add(
    client_id: str | None = None,
    *,
    name: str | None = None,
    redirect_uri: tuple[str, ...] = (),
    scope: str = "",
    default_scope: str | None = None,
    unknown_scope: UnknownScopeName | None = None,
    grant_type: tuple[str, ...] = ("authorization_code", "refresh_token"),
    response_type: tuple[str, ...] = (),
    auth_method: AuthenticationMethod | None = None,
    auth_signing_alg: str | None = None,
    id_token_claims: bool | None = None,
    jwks_uri: str | None = None,
    jwks_file: Path | None = None,
    request_uri: tuple[str, ...] = (),
    request_signing_alg: str | None = None,
    require_signed_request: Flag = False,
    post_logout_redirect_uri: tuple[str, ...] = (),
    backchannel_logout_uri: str | None = None,
    frontchannel_logout_uri: str | None = None,
    public: Flag = False,
    organization_name: str | None = None,
    client_uri: str | None = None,
    allow: tuple[str, ...] = (),
    introspects_any: Flag = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Register a client; its secret is shown this once.

    Parameters
    ----------
    client_id
        What the client calls itself; 128 random bits if left out.
    name
        What people call it.
    redirect_uri
        Where answers may be sent; may be given several times.
    scope
        What it may ask for at most, separated by spaces.
    default_scope
        What it means that a request names no scope; all of it if left out.
    unknown_scope
        What becomes of a scope that it asks for and is not registered with; what the policy says if left out.
    grant_type
        What it may use at the token endpoint; may be given several times.
    response_type
        What it may ask the authorization endpoint for, as "code id_token"; may be given several times. What its grants
        are for if left out.
    auth_method
        How it authenticates at the token endpoint; with a secret, in the header or in the form as it likes, if left
        out.
    auth_signing_alg
        The one algorithm that it signs its assertions by; any that the method knows if left out.
    id_token_claims
        Put what the scopes profile, email, address and phone stand for into its ID tokens, as well as at UserInfo: for
        applications that read nothing else. So it is for a scope with openid, unless --no-id-token-claims is said.
    jwks_uri
        Where its public keys are, an https URL.
    jwks_file
        Its public keys, as a JWK set, where it does not publish them.
    request_uri
        Where its request objects may be, an https URL; may be given several times.
    request_signing_alg
        The one algorithm that it signs its request objects by; any with a public key if left out.
    require_signed_request
        It sends every authorization request as a request object, and none that is not signed is from it.
    post_logout_redirect_uri
        Where people may be sent back who have signed out; may be given several times.
    backchannel_logout_uri
        Where this server tells it that a session has ended, an https URL.
    frontchannel_logout_uri
        What is opened in the person's browser when a session has ended, an https URL on the host of a redirect URI.
    public
        It can't keep a secret: a program on somebody's device, or in a browser.
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
    scopes = scope_of("--scope", scope)
    client = Client(
        client_id=client_id or secrets.token_urlsafe(16),
        name=name,
        organization_name=organization_name,
        client_uri=client_uri,
        token_endpoint_auth_method="none" if public else auth_method,
        token_endpoint_auth_signing_alg=auth_signing_alg,
        jwks_uri=jwks_uri,
        jwks=None if jwks_file is None else jwks_in("--jwks-file", jwks_file),
        request_uris=request_uri,
        request_object_signing_alg=request_signing_alg,
        require_signed_request_object=require_signed_request,
        redirect_uris=redirect_uri,
        post_logout_redirect_uris=post_logout_redirect_uri,
        backchannel_logout_uri=backchannel_logout_uri,
        frontchannel_logout_uri=frontchannel_logout_uri,
        grant_types=grant_type,
        response_types=response_type or response_types_for(grant_type),
        scope=scopes,
        id_token_claims=reads_id_tokens(scopes) if id_token_claims is None else id_token_claims,
        default_scope=None if default_scope is None else scope_of("--default-scope", default_scope),
        unknown_scope=unknown_scope,
        allow=[allowance_of(word) for word in allow],
        introspects_any=introspects_any,
    )
    with workplace(config) as place:
        place.must_be_stored(Client, client.client_id, "client_id")
        registered = place.flow(place.server.clients.register(client))
        said = list(notes(client, place.server))
    secret = None if registered.secret is None else registered.secret.reveal()
    sentence = f"client_id     {client.client_id}"
    if secret is not None:
        kept = "sealed" if is_kept(client) else "as a digest only"
        sentence += f"\nclient_secret {secret}\nThe secret is shown this once, and kept {kept}."
    sentence = "\n".join((sentence, *said))
    members = {"client_id": client.client_id, "client_secret": secret, "notes": said or None}
    say({name: value for name, value in members.items() if value is not None}, sentence, as_json=as_json)


@clients.command(name="list")
def list_(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the clients.

    Parameters
    ----------
    config
        The configuration file.
    as_json
        Say it as one line of JSON.
    """
    columns = ("client_id", "name", "grant_types", "scope", "enabled", "declared")
    with workplace(config) as place:
        rows = [described(client, place) for client in place.clients()]
    show(rows, columns, as_json=as_json)


@clients.command(name="show")
def show_(client_id: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show everything that is known of a client, but for its secret, which nobody knows.

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
        members = described(found(client_id, place), place)
    if as_json:
        say(members, "", as_json=True)
    else:
        show(
            [{"setting": name, "value": value} for name, value in members.items()], ("setting", "value"), as_json=False
        )


@clients.command
def rotate_secret(
    client_id: str, /, *, overlap: int = OVERLAP, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Replace a client's secret; the new one is shown this once.

    Parameters
    ----------
    client_id
        The client.
    overlap
        For how many seconds the old secret stays good; 0 ends it at once.
    config
        The configuration file.
    as_json
        Say it as one line of JSON.
    """
    if overlap < 0:
        raise ConfigurationError("--overlap", overlap, "use a number of seconds, 0 or more")
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        secret = place.flow(place.server.clients.rotate_secret(client_id, overlap=overlap)).reveal()
    sentence = f"client_secret {secret}\nThe old one stays good for {overlap} seconds."
    say({"client_id": client_id, "client_secret": secret, "overlap": overlap}, sentence, as_json=as_json)


@clients.command
def remove(client_id: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Remove a client, and take back everything that it was given.

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
        place.flow(place.server.clients.remove(client_id))
    members = {"client_id": client_id, "removed": True}
    say(members, f"{client_id} is removed, and everything it was given is taken back.", as_json=as_json)


def found(client_id: str, place: Workplace) -> Client:
    """Return a client; raises `ConfigurationError` where there is none."""
    client = place.flow(place.server.clients.find(client_id))
    if client is None:
        raise ConfigurationError("client_id", client_id, "there is no such client; client list shows them")
    return client


def described(client: Client, place: Workplace) -> dict[str, object]:
    """Return what may be shown of a client."""
    members = attrs.asdict(client, recurse=False)
    members["secrets"] = len(client.secrets)
    members["scope"] = list(client.scope.tokens)
    members["default_scope"] = None if client.default_scope is None else list(client.default_scope.tokens)
    members["unknown_scope"] = None if client.unknown_scope is None else client.unknown_scope.value
    members["allow"] = sorted(allowance.name.lower() for allowance in client.allow)
    members["expires_at"] = moment(client.expires_at)
    members["declared"] = place.storage.is_declared(Client, client.client_id)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in members.items()}


def scope_of(option: str, words: str) -> Scope:
    """Read a scope; raises `ConfigurationError` naming the option."""
    try:
        return parse_scope(" ".join(words.split())) if words.strip() else Scope()
    except OAuthError:
        raise ConfigurationError(option, words, "use scope tokens with spaces between them") from None


def allowance_of(word: str) -> Allowance:
    """Read an allowance; raises `ConfigurationError` for what is none."""
    names = {allowance.name.lower(): allowance for allowance in Allowance}
    if word not in names:
        raise ConfigurationError("--allow", word, f"use one of {', '.join(names)}")
    return names[word]
