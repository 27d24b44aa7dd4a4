"""`tls_client_auth`: a certificate of a trusted authority, with the registered name (RFC 8705 section 2.1).

The registration has exactly one of five names: the whole subject, or one of its alternative names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from oauthcore.clients.presented import Presented
from oauthcore.context import Context
from oauthcore.errors import ConfigurationError, InvalidClient
from oauthcore.jose.certificate import (
    Certificate,
    comparable_email,
    comparable_ip,
    distinguished_name,
    read_certificate,
)
from oauthcore.jose.registered_claims import SKEW
from oauthcore.records.client import Client
from oauthcore.wire.text import ascii_lower

NAMES: Mapping[str, Callable[[Certificate, str], bool]] = {
    # RFC 4514 strings are compared as names: spelling and order within a relative name make no difference.
    "tls_client_auth_subject_dn": lambda shown, name: shown.subject == distinguished_name(name),
    # The very name, no wildcard: `*.example.com` in a certificate names no host (RFC 8705 section 2.1.2).
    "tls_client_auth_san_dns": lambda shown, name: ascii_lower(name) in shown.names_dns,
    "tls_client_auth_san_uri": lambda shown, name: name in shown.names_uri,
    "tls_client_auth_san_ip": lambda shown, name: comparable_ip(name) in shown.names_ip,
    "tls_client_auth_san_email": lambda shown, name: comparable_email(name) in shown.names_email,
}
"""The member of a registration that names the certificate, and how it is found in one (RFC 8705 section 2.1.2)."""


def prove_name(presented: Presented, client: Client, context: Context) -> None:
    """Check that a trusted authority has issued a certificate in the client's name; raises `InvalidClient`."""
    shown = shown_certificate(presented, context)
    # Without a trusted authority, anybody can write any name into a certificate.
    if presented.peer is None or not presented.peer.has_trusted_chain:
        raise not_shown("the certificate is of no authority that the host trusts")
    member, name = registered_name(client)
    is_in = NAMES[member]
    if not is_in(shown, name):
        raise not_shown("the certificate has another name than the client").by_setting(f"client.{member}")


def shown_certificate(presented: Presented, context: Context) -> Certificate:
    """Return the certificate that came with a request, if it is valid now; raises `InvalidClient`."""
    if presented.peer is None or presented.peer.certificate is None:
        raise not_shown("the request came without a certificate of the client's")
    try:
        shown = read_certificate(presented.peer.certificate)
    except ValueError as error:
        raise not_shown(str(error)) from None
    # A handshake verifies it once, and of what a connection began with, and not at all where a proxy was told so.
    if context.now > shown.not_after:
        raise not_shown("the certificate has expired")
    if context.now + SKEW < shown.not_before:
        raise not_shown("the certificate is not valid yet")
    return shown


def not_shown(reason: str) -> InvalidClient:
    """Refuse a client that has not proven itself by a certificate, in the words in which an unknown one is refused."""
    return InvalidClient.with_description("the client is unknown, or sent no credentials", reason)


def registered_name(client: Client) -> tuple[str, str]:
    """Return the name that is registered, after the member that it is in; raises `InvalidClient` if there is none."""
    named = [(member, getattr(client, member)) for member in NAMES]
    for member, name in named:
        if name is not None:
            return member, name
    # A host that stores its clients itself has not had this one checked.
    raise not_shown("the client has no name that a certificate could have").by_setting(
        "client.tls_client_auth_subject_dn"
    )


def without_unused_name(client: Client) -> Client:
    """Return a client that describes itself without the name of a certificate that its method has no use for."""
    if client.token_endpoint_auth_method == "tls_client_auth":
        return client
    return attrs.evolve(client, **dict.fromkeys(NAMES))  # type: ignore[arg-type]  # the names of fields


def check_name(client: Client) -> None:
    """Check that a registration has exactly the name that it needs; raises `ConfigurationError`."""
    named = {member: getattr(client, member) for member in NAMES if getattr(client, member) is not None}
    if client.token_endpoint_auth_method != "tls_client_auth":
        for member, name in named.items():
            remedy = "leave it out: it is for token_endpoint_auth_method tls_client_auth"
            raise ConfigurationError(member, name, remedy)
        return
    # RFC 8705 section 2.1.2: exactly one. Of two, it would not be clear whether one is enough.
    if len(named) != 1:
        remedy = "set exactly one of these: the name that is in the client's certificate (RFC 8705 section 2.1.2)"
        raise ConfigurationError(", ".join(NAMES), sorted(named), remedy)
    for member, name in named.items():
        if (problem := _problem(member, name)) is not None:
            raise ConfigurationError(member, name, problem)


def _problem(member: str, name: str) -> str | None:
    """Return how a name has to be written, None if it is well written."""
    try:
        match member.rpartition("_")[2]:
            case "dn":
                return None if distinguished_name(name) else "name at least one attribute, as in CN=client"
            case "ip":
                comparable_ip(name)
                return None
            case "uri":
                return None if ":" in name else "use a whole URI, as in spiffe://example.org/client"
            case "email":
                return None if "@" in name else "use an address, as in client@example.com"
            case _:
                is_host = name.isascii() and name.isprintable() and name != "" and not set(name) & set(" /:*@")
                return None if is_host else "use a host name, in its ASCII form, without a wildcard"
    except ValueError as error:
        return f"{error}"
