"""What stands in metadata: the members that clients need, of the type that they expect, with URLs that they can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Observations, is_loopback, is_url, origin_of, text_of, texts_of

# RFC 8414 section 2; OIDC Discovery section 3.
NEEDED = ("issuer", "token_endpoint", "response_types_supported")
OPENID_NEEDED = ("jwks_uri", "subject_types_supported", "id_token_signing_alg_values_supported")
BOOLEANS = (
    "authorization_response_iss_parameter_supported",
    "client_id_metadata_document_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "require_pushed_authorization_requests",
    "claims_parameter_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "tls_client_certificate_bound_access_tokens",
)


def urls(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Return the members that name an endpoint, or a document that clients rely on."""
    for name, value in document.items():
        if isinstance(value, str) and (name.endswith("_endpoint") or name in {"issuer", "jwks_uri"}):
            yield name, value


def needed(seen: Observations) -> Iterator[str]:
    """Find members that every client needs."""
    for probe, document in seen.documents():
        lacking = [name for name in NEEDED if name not in document]
        # RFC 8414 section 2: only where no grant type uses it.
        if "authorization_endpoint" not in document and uses_authorization(document):
            lacking.append("authorization_endpoint")
        if lacking:
            yield f"{seen.exchanges[probe].request.url} has no {', '.join(lacking)}"


def uses_authorization(document: Mapping[str, object]) -> bool:
    """Return whether an offered grant begins at the authorization endpoint (RFC 8414 section 2 has the default)."""
    offered = texts_of(document, "grant_types_supported")
    return offered is None or bool({"authorization_code", "implicit"} & set(offered))


def openid_needed(seen: Observations) -> Iterator[str]:
    """Find what OpenID clients need."""
    if seen.openid is None:
        return
    lacking = [name for name in OPENID_NEEDED if name not in seen.openid]
    if lacking:
        yield f"the OpenID metadata has no {', '.join(lacking)}"


def rs256(seen: Observations) -> Iterator[str]:
    """Find that ID tokens can't be had with the algorithm that every client knows."""
    offered = texts_of(seen.openid or {}, "id_token_signing_alg_values_supported")
    if offered is not None and "RS256" not in offered:
        yield f"id_token_signing_alg_values_supported has {', '.join(offered) or 'nothing'}, and not RS256"


def unsigned(seen: Observations) -> Iterator[str]:
    """Find `none` where tokens are to be signed."""
    for name in ("id_token_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported"):
        if "none" in (texts_of(seen.metadata | (seen.openid or {}), name) or ()):
            yield f"{name} has none"


def types(seen: Observations) -> Iterator[str]:
    """Find members of another type than clients read."""
    for probe, document in seen.documents():
        wrong = [name for name, value in document.items() if not is_of_its_type(name, value)]
        if wrong:
            yield f"{seen.exchanges[probe].request.url}: {', '.join(sorted(wrong))}"


def is_of_its_type(name: str, value: object) -> bool:
    """Return whether a member that is known has the type that it has to have."""
    if name in BOOLEANS:
        return isinstance(value, bool)
    if name.endswith("_supported") and not isinstance(value, bool):
        return texts_of({name: value}, name) is not None
    if name in {"issuer", "jwks_uri"} or name.endswith("_endpoint"):
        return isinstance(value, str)
    return True


def unusable(seen: Observations) -> Iterator[str]:
    """Find URLs that are none, or have a fragment, which endpoints must not have."""
    for probe, document in seen.documents():
        for name, url in urls(document):
            if not is_url(url) or "#" in url or (name == "issuer" and "?" in url):
                yield f"{seen.exchanges[probe].request.url}: {name} is {url!r}"


def insecure(seen: Observations) -> Iterator[str]:
    """Find http in the metadata of a server that is reached by https."""
    for probe, document in seen.documents():
        where = seen.exchanges[probe].request.url
        plain = [name for name, url in urls(document) if url.startswith("http://")]
        plain = [name for name in plain if where.startswith("https://") or not is_loopback(str(document[name]))]
        if plain:
            yield f"{where}: {', '.join(plain)} {'is' if len(plain) == 1 else 'are'} plain http"


def elsewhere(seen: Observations) -> Iterator[str]:
    """Find endpoints of another host than the issuer's, such as the name that a server has within its network."""
    for probe, document in seen.documents():
        issuer = text_of(document, "issuer")
        if issuer is None:
            continue
        others = {origin_of(url) for _, url in urls(document) if is_url(url)} - {origin_of(issuer)}
        internal = sorted(other for other in others if is_loopback(other) and not is_loopback(issuer))
        if internal:
            yield f"{seen.exchanges[probe].request.url} sends clients to {', '.join(internal)}"


CHECKS = (
    Check(
        *("metadata-needed", Severity.ERROR, "Metadata has what every client needs", "RFC 8414 section 2"),
        matters_to="every client that is configured by discovery",
        remedy="add the members",
        look=needed,
    ),
    Check(
        *("openid-needed", Severity.ERROR, "OpenID metadata has what OpenID clients need", "OIDC Discovery section 3"),
        matters_to="OpenID clients; MCP's TypeScript SDK can't read the document without them",
        remedy="add the members, or serve RFC 8414 metadata alone if it is no OpenID Provider",
        look=openid_needed,
    ),
    Check(
        *("openid-rs256", Severity.WARNING, "RS256 is among the algorithms of ID tokens", "OIDC Discovery section 3"),
        matters_to="OpenID clients that know RS256 alone, which is the default",
        remedy="have an RSA key and offer RS256, or see that each client knows what you offer",
        look=rs256,
    ),
    Check(
        *("alg-none", Severity.ERROR, "Nothing is offered unsigned", "RFC 8414 section 2; RFC 8725 section 3.2"),
        matters_to="everybody: anyone can make an unsigned token",
        remedy="take none out of the list",
        look=unsigned,
    ),
    Check(
        *("metadata-types", Severity.ERROR, "Members of the metadata have their types", "RFC 8414 section 2"),
        matters_to="typed clients, which refuse the whole document",
        remedy="write lists as arrays of strings, switches as true or false, URLs as strings",
        look=types,
    ),
    Check(
        *("metadata-urls", Severity.ERROR, "URLs in metadata can be used", "RFC 6749 section 3.1; RFC 8414 section 2"),
        matters_to="every client that is sent there",
        remedy="write absolute URLs without a fragment, and an issuer without a query",
        look=unusable,
    ),
    Check(
        *(
            "metadata-http",
            Severity.ERROR,
            "No URL in metadata is plain http",
            "RFC 8414 section 2; RFC 6749 section 3.1",
        ),
        matters_to="clients that require https, and everybody whose code or token travels in the open",
        remedy="configure the public https URL as issuer; a server that makes URLs from the request does not see "
        "the TLS that ended at its proxy",
        look=insecure,
    ),
    Check(
        *("metadata-internal", Severity.ERROR, "No URL in metadata is a loopback one", "RFC 8414 section 2"),
        matters_to="every client on another machine",
        remedy="configure the public URL; a server behind a proxy has put its own address into the document",
        look=elsewhere,
    ),
)
