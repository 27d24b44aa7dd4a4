"""What the server says it offers: PKCE, `iss`, response types, grants, ways to authenticate and to register."""

from __future__ import annotations

from collections.abc import Iterator

from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Observations, text_of, texts_of

JWT_METHODS = frozenset({"private_key_jwt", "client_secret_jwt"})


def has_authorization(seen: Observations) -> bool:
    """Return whether there is an authorization endpoint."""
    return "authorization_endpoint" in seen.metadata


def s256(seen: Observations) -> Iterator[str]:
    """Find documents in which S256 is not announced."""
    for probe, document in seen.documents():
        methods = texts_of(document, "code_challenge_methods_supported")
        if "authorization_endpoint" in document and "S256" not in (methods or ()):
            said = "is missing" if methods is None else f"has {', '.join(methods) or 'nothing'}, and not S256"
            yield f"{seen.exchanges[probe].request.url}: code_challenge_methods_supported {said}"


def plain(seen: Observations) -> Iterator[str]:
    """Find that a challenge may be the verifier itself."""
    if "plain" in (texts_of(seen.metadata, "code_challenge_methods_supported") or ()):
        yield "code_challenge_methods_supported has plain"


def iss(seen: Observations) -> Iterator[str]:
    """Find that clients can't tell whose authorization response they got."""
    if has_authorization(seen) and seen.metadata.get("authorization_response_iss_parameter_supported") is not True:
        yield "authorization_response_iss_parameter_supported is not true"


def code(seen: Observations) -> Iterator[str]:
    """Find that no authorization code can be obtained."""
    types = texts_of(seen.metadata, "response_types_supported")
    if has_authorization(seen) and types is not None and "code" not in types:
        yield f"response_types_supported has {', '.join(types) or 'nothing'}"


def implicit(seen: Observations) -> Iterator[str]:
    """Find access tokens that travel in URLs."""
    types = texts_of(seen.metadata, "response_types_supported") or ()
    offered = [offer for offer in types if "token" in offer.split(" ")]
    if offered:
        yield f"response_types_supported has {', '.join(offered)}"


def password(seen: Observations) -> Iterator[str]:
    """Find clients that are given passwords."""
    if "password" in (texts_of(seen.metadata, "grant_types_supported") or ()):
        yield "grant_types_supported has password"


def assertion_algorithms(seen: Observations) -> Iterator[str]:
    """Find authentication methods by assertion without a list of their algorithms."""
    for endpoint in ("token", "revocation", "introspection"):
        methods = set(texts_of(seen.metadata, f"{endpoint}_endpoint_auth_methods_supported") or ())
        algorithms = f"{endpoint}_endpoint_auth_signing_alg_values_supported"
        if methods & JWT_METHODS and algorithms not in seen.metadata:
            yield f"{endpoint}_endpoint_auth_methods_supported has {min(methods & JWT_METHODS)}, without {algorithms}"


def public_clients(seen: Observations) -> Iterator[str]:
    """Find servers at which clients register that then can't authenticate."""
    methods = texts_of(seen.metadata, "token_endpoint_auth_methods_supported")
    registers = "registration_endpoint" in seen.metadata or takes_documents(seen)
    wanted = {"none", "private_key_jwt"} if takes_documents(seen) else {"none"}
    if registers and not wanted & set(methods or ()):
        said = "is missing, which means client_secret_basic" if methods is None else f"has {', '.join(methods)}"
        yield f"token_endpoint_auth_methods_supported {said}"


def takes_documents(seen: Observations) -> bool:
    """Return whether clients may publish what they are."""
    return seen.metadata.get("client_id_metadata_document_supported") is True


def registration(seen: Observations) -> Iterator[str]:
    """Find that clients have to be registered by hand."""
    if has_authorization(seen) and "registration_endpoint" not in seen.metadata and not takes_documents(seen):
        yield "there is neither registration_endpoint nor client_id_metadata_document_supported"


def logout(seen: Observations) -> Iterator[str]:
    """Find OpenID Providers at which clients can't sign people out."""
    if seen.openid is not None and text_of(seen.openid, "end_session_endpoint") is None:
        yield "the OpenID metadata has no end_session_endpoint"


CHECKS = (
    Check(
        *(
            "pkce-s256",
            Severity.ERROR,
            "PKCE with S256 is announced",
            "RFC 8414 section 2; MCP authorization 2026-07-28",
        ),
        matters_to="MCP clients, which have to refuse a server that does not say so",
        remedy='add "code_challenge_methods_supported": ["S256"], to the OpenID metadata, too',
        look=s256,
    ),
    Check(
        *("pkce-plain", Severity.WARNING, "PKCE with plain is not offered", "RFC 9700 section 2.1.1"),
        matters_to="clients that are talked into it: who reads the request has the verifier",
        remedy="take S256 alone",
        look=plain,
    ),
    Check(
        *(
            "response-iss",
            Severity.WARNING,
            "iss is in authorization responses",
            "RFC 9207 section 3; RFC 9700 section 2.1",
        ),
        matters_to="clients of several servers, MCP's among them: without it they can be mixed up",
        remedy="put iss into each authorization response, errors too, and announce "
        "authorization_response_iss_parameter_supported",
        look=iss,
    ),
    Check(
        *("response-code", Severity.ERROR, "The authorization code is offered", "RFC 8414 section 2"),
        matters_to="every client of OAuth 2.1, and MCP's TypeScript SDK, which looks for it",
        remedy='add "code" to response_types_supported',
        look=code,
    ),
    Check(
        *("implicit", Severity.WARNING, "No access token travels in a URL", "RFC 9700 section 2.1.2"),
        matters_to="clients that use it: tokens end up in histories and logs",
        remedy="take these response types out; the code with PKCE serves pages in browsers as well",
        look=implicit,
    ),
    Check(
        *("password", Severity.WARNING, "No client is given passwords", "RFC 9700 section 2.4"),
        matters_to="the people who type their passwords into clients",
        remedy="take the grant out of the server, or out of the metadata if it is there for one old client",
        look=password,
    ),
    Check(
        *("assertion-algorithms", Severity.ERROR, "Algorithms of assertions are announced", "RFC 8414 section 2"),
        matters_to="clients that authenticate by private_key_jwt or client_secret_jwt",
        remedy="add the list of algorithms",
        look=assertion_algorithms,
    ),
    Check(
        *(
            "public-clients",
            Severity.ERROR,
            "Clients that may register may authenticate",
            "RFC 7591 section 2; RFC 8414 section 2",
        ),
        matters_to="MCP clients and native applications, which are public",
        remedy='add "none" to token_endpoint_auth_methods_supported',
        look=public_clients,
    ),
    Check(
        *("registration", Severity.NOTE, "Clients can register", "MCP authorization 2026-07-28; RFC 7591"),
        matters_to="MCP clients, which then have to be given a client_id by hand",
        remedy="take client ID metadata documents, or open a registration endpoint, if MCP clients are to come",
        look=registration,
    ),
    Check(
        *("logout", Severity.NOTE, "There is a logout endpoint", "OIDC RP-Initiated Logout section 2.1"),
        matters_to="OpenID clients that sign people out",
        remedy="offer end_session_endpoint, if signing out is to reach the provider",
        look=logout,
    ),
)
