"""`oauthcore client`: the applications that may request tokens."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import urlsplit

import attrs
from cyclopts import App, Parameter

from oauthcore import Client, ConfigurationError, Scope
from oauthcore.clients.client_secret_jwt import is_kept
from oauthcore_h11.cli.client_settings import NO_SETTINGS, ClientSettings
from oauthcore_h11.cli.notes import notes
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Identifier, Json, moment, say, show
from oauthcore_h11.cli.workplace import Workplace, workplace
from oauthcore_h11.declarations import response_types_for, usual_id_token_claims

clients = App(name="client", help="Register, list, change and remove clients, and replace their secrets.")

Flag = Annotated[bool, Parameter(negative="")]

# One day, to deploy the new secret to every instance of a client.
OVERLAP = 86_400


@clients.command
def add(
    client_id: str | None = None,
    *,
    settings: ClientSettings = NO_SETTINGS,
    public: Flag = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Register a client; its secret is shown only this once.

    Parameters
    ----------
    client_id
        The client's identifier; 128 random bits by default.
    public
        The client can't keep a secret, because it runs on the user's device or in a browser.
    """
    client = new_client(client_id or secrets.token_hex(16), settings, public=public)
    with workplace(config) as place:
        place.must_be_stored(Client, client.client_id, "client_id")
        registered = place.flow(place.server.clients.register(client))
        said = list(notes(client, place.server))
    secret = None if registered.secret is None else registered.secret.reveal()
    sentence = f"client_id     {client.client_id}"
    if secret is not None:
        kept = "sealed" if is_kept(client) else "as a digest only"
        sentence += f"\nclient_secret {secret}\nThe secret is shown only this once, and stored {kept}."
    sentence = "\n".join((sentence, *said))
    members = {"client_id": client.client_id, "client_secret": secret, "notes": said or None}
    say({name: value for name, value in members.items() if value is not None}, sentence, as_json=as_json)


@clients.command(name="list")
def list_(*, dynamic: Flag = False, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the clients.

    Parameters
    ----------
    dynamic
        List only clients that registered themselves.
    """
    columns = ("client_id", "name", "grant_types", "scope", "enabled", "registered_by", "state")
    with workplace(config) as place:
        rows = [described(client, place) for client in place.clients() if not dynamic or client.dynamic is not None]
    show(rows, columns, as_json=as_json)


@clients.command(name="show")
def show_(client_id: Identifier, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show all settings of a client, except its secret.

    Parameters
    ----------
    client_id
        The client.
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
    client_id: Identifier, /, *, overlap: int = OVERLAP, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Replace a client's secret; the new one is shown only this once.

    Parameters
    ----------
    client_id
        The client.
    overlap
        For how many seconds the old secret stays valid; 0 revokes it at once.
    """
    if overlap < 0:
        raise ConfigurationError("--overlap", overlap, "use a number of seconds, 0 or more")
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        secret = place.flow(place.server.clients.rotate_secret(client_id, overlap=overlap)).reveal()
    sentence = f"client_secret {secret}\nThe old one stays valid for {overlap} seconds."
    say({"client_id": client_id, "client_secret": secret, "overlap": overlap}, sentence, as_json=as_json)


@clients.command
def remove(client_id: Identifier, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Remove a client, and revoke everything that was issued to it.

    Parameters
    ----------
    client_id
        The client.
    """
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        place.flow(place.server.clients.remove(client_id))
    members = {"client_id": client_id, "removed": True}
    say(members, f"{client_id} is removed, and everything that was issued to it is revoked.", as_json=as_json)


def new_client(client_id: str, settings: ClientSettings, *, public: bool) -> Client:
    """Return the client that the options describe, with defaults for those that were left out."""
    scope = settings.scope_named()
    members: dict[str, object] = {
        "grant_types": ("authorization_code", "refresh_token"),
        "response_types": (),
        "id_token_claims": usual_id_token_claims(scope),
    }
    members |= settings.named()
    if settings.default_scope == "":
        # In `client update` a blank value removes the setting; here it means that requests without scope get none.
        members["default_scope"] = Scope()
    if public:
        members["token_endpoint_auth_method"] = "none"
    client = Client(client_id=client_id, **members)  # type: ignore[arg-type]  # the fields' own names and types
    return (
        client if client.response_types else attrs.evolve(client, response_types=response_types_for(client.grant_types))
    )


def found(client_id: str, place: Workplace) -> Client:
    """Return a client; raises `ConfigurationError` if there is none."""
    client = place.flow(place.server.clients.find(client_id))
    if client is None:
        raise ConfigurationError(
            "client_id", client_id, "there is no such client; name another: client list shows all clients"
        )
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
    members["explain_until"] = moment(client.explain_until)
    members["declared"] = place.storage.is_declared(Client, client.client_id)
    members["localized"] = [f"{name}: {text}" for name, text in client.localized]
    del members["dynamic"], members["document"]
    members |= registered_by(client, declared=bool(members["declared"]))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in members.items()}


def registered_by(client: Client, *, declared: bool) -> dict[str, object]:
    """Return how a client was registered, and its state if it registered itself."""
    dynamic, document = client.dynamic, client.document
    if document is not None:
        state = "unverified" if document.withdrawn_at is None else "unverified, its document is gone"
        return {
            "registered_by": f"itself, by its document at {urlsplit(client.client_id).netloc}",
            "state": f"{state}, unused" if document.is_unused else state,
            "registered_at": moment(document.registered_at),
            "fetched_at": moment(document.fetched_at),
            "fresh_until": moment(document.fresh_until),
            "withdrawn_at": moment(document.withdrawn_at),
        }
    if dynamic is None:
        return {"registered_by": "the configuration" if declared else "the operator", "state": None}
    state = "approved" if dynamic.is_approved else "waits for approval" if dynamic.awaits_approval else "unverified"
    return {
        "registered_by": f"itself, by {dynamic.by}" if dynamic.by else "itself",
        "state": f"{state}, unused" if dynamic.is_unused else state,
        "registered_at": moment(dynamic.registered_at),
        "first_user": dynamic.first_user,
        "software_statement": dynamic.software_statement,
    }
