"""Where metadata is found, and in what form."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from oauthcore.jose.strict_json import parse_object
from oauthcore.wire.text import ascii_lower, media_type
from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import METADATA, Exchange, Observations, Probe, is_url, text_of


def attempts(seen: Observations) -> Iterator[tuple[Probe, Exchange]]:
    """Return what came of each place where clients look."""
    for probe in METADATA:
        if probe in seen.exchanges:
            yield probe, seen.exchanges[probe]


def found(seen: Observations) -> Iterator[str]:
    """Find that there is no metadata anywhere."""
    if seen.issuer is not None and not seen.metadata:
        places = "; ".join(f"{exchange.request.url}: {exchange.summary}" for _, exchange in attempts(seen))
        yield f"no metadata document was found: {places}"


def no_issuer(seen: Observations) -> Iterator[str]:
    """Find that a resource names no authorization server."""
    if seen.issuer is None:
        yield f"no authorization server is known: {seen.target.resource} names none"


def oauth_appended(seen: Observations) -> Iterator[str]:
    """Find RFC 8414 metadata that is appended to the issuer alone."""
    if seen.document(Probe.OAUTH_APPENDED) is not None and seen.document(Probe.OAUTH_INSERTED) is None:
        wrong, right = seen.exchanges[Probe.OAUTH_APPENDED], seen.exchanges[Probe.OAUTH_INSERTED]
        yield f"metadata is at {wrong.request.url}, and not at {right.request.url} ({right.summary})"


def oidc_inserted(seen: Observations) -> Iterator[str]:
    """Find OpenID metadata that is where OpenID clients do not look."""
    if seen.document(Probe.OIDC_INSERTED) is not None and seen.document(Probe.OIDC_APPENDED) is None:
        wrong, right = seen.exchanges[Probe.OIDC_INSERTED], seen.exchanges[Probe.OIDC_APPENDED]
        yield f"metadata is at {wrong.request.url}, and not at {right.request.url} ({right.summary})"


def redirects(seen: Observations) -> Iterator[str]:
    """Find redirects in place of a document."""
    for _, exchange in attempts(seen):
        if exchange.response is not None and 300 <= exchange.response.status < 400:
            led = seen.exchanges.get(Probe.REDIRECTED)
            where = exchange.response.header("location") or "nowhere"
            after = f", where there is {led.summary}" if led is not None and led.request.url == where else ""
            yield f"{exchange.request.url} redirects to {where}{after}"


def trouble(seen: Observations) -> Iterator[str]:
    """Find places that are answered by a failure, where 404 would have sent the client on."""
    if not any(exchange.response for _, exchange in attempts(seen)):
        return  # not reachable, which is reported once
    for _, exchange in attempts(seen):
        if exchange.response is None or exchange.response.status >= 500:
            yield f"{exchange.request.url}: {exchange.summary}"


def pages(seen: Observations) -> Iterator[str]:
    """Find places where something else than metadata is served with 200."""
    for probe in METADATA:
        response = seen.response(probe)
        if response is None or response.status != 200 or seen.document(probe) is not None:
            continue
        yield f"{seen.exchanges[probe].request.url}: {why_unreadable(response.body)} ({seen.exchanges[probe].summary})"


def why_unreadable(body: bytes) -> str:
    """Return why a body is no document."""
    if body.startswith(b"\xef\xbb\xbf"):
        return "the JSON begins with a byte order mark (RFC 8259 section 8.1)"
    try:
        parse_object(body)
    except ValueError as error:
        return f"no JSON object: {error}"
    return "no document"


def content_types(seen: Observations) -> Iterator[str]:
    """Find documents that are not said to be JSON."""
    for probe, _ in seen.documents():
        response = seen.response(probe)
        kind = response.header("content-type") if response is not None else None
        if media_type(kind) != "application/json":
            yield f"{seen.exchanges[probe].request.url} has Content-Type {kind or 'none'}"


def issuers(seen: Observations) -> Iterator[str]:
    """Find documents of another issuer than the one that was asked for."""
    assert seen.issuer is not None or not list(seen.documents())
    for probe, document in seen.documents():
        issuer = text_of(document, "issuer")
        if issuer != seen.issuer:
            assert seen.issuer is not None
            said = "no issuer" if issuer is None else f"issuer {issuer}, {difference(seen.issuer, issuer)}"
            yield f"{seen.exchanges[probe].request.url}, asked for {seen.issuer}, has {said}"


def difference(wanted: str, found: str) -> str:
    """Return in what two issuers differ."""
    if wanted.rstrip("/") == found.rstrip("/"):
        return "which differs by a slash at the end"
    if wanted.partition("://")[2] == found.partition("://")[2]:
        return "which differs in the scheme"
    if ascii_lower(wanted) == ascii_lower(found):
        return "which differs in upper and lower case"
    if is_url(found) and without_port(wanted) == without_port(found):
        return "which differs in the port"
    return "which is another one"


def without_port(url: str) -> tuple[str | None, str]:
    """Return the host and the path of a URL."""
    parts = urlsplit(url)
    return parts.hostname, parts.path


def disagreements(seen: Observations) -> Iterator[str]:
    """Find members that two documents of one issuer say differently."""
    documents = list(seen.documents())
    if not documents:
        return
    first_probe, first = documents[0]
    for probe, document in documents[1:]:
        names = [name for name in first.keys() & document.keys() if is_decisive(name) and first[name] != document[name]]
        if names:
            yield (
                f"{seen.exchanges[first_probe].request.url} and {seen.exchanges[probe].request.url} "
                f"differ in {', '.join(sorted(names))}"
            )


def is_decisive(name: str) -> bool:
    """Return whether a member sends clients somewhere: lists may honestly be shorter for one kind of client."""
    return name in {"issuer", "jwks_uri"} or name.endswith("_endpoint")


CHECKS = (
    Check(
        *("issuer-known", Severity.ERROR, "An authorization server is known", "RFC 9728 section 2"),
        matters_to="every client",
        remedy="put authorization_servers into the resource's metadata, or name the issuer",
        look=no_issuer,
    ),
    Check(
        *("discovery-found", Severity.ERROR, "Metadata is found", "RFC 8414 section 3; OIDC Discovery section 4"),
        matters_to="every client that is not configured by hand",
        remedy="give this command the issuer as clients have it; route /.well-known/ of the host to the server",
        look=found,
    ),
    Check(
        *("discovery-inserted", Severity.ERROR, "OAuth metadata is inserted before the path", "RFC 8414 section 3.1"),
        matters_to="OAuth and MCP clients, which look before the path of the issuer",
        remedy="have the proxy send /.well-known/oauth-authorization-server with the issuer's path to the server",
        look=oauth_appended,
    ),
    Check(
        *("discovery-appended", Severity.ERROR, "OpenID metadata is appended to the path", "OIDC Discovery section 4"),
        matters_to="OpenID clients, which look behind the path of the issuer",
        remedy="serve the same document at the issuer with /.well-known/openid-configuration appended",
        look=oidc_inserted,
    ),
    Check(
        *("discovery-redirect", Severity.ERROR, "Discovery does not redirect", "RFC 8414 section 3.2 (200 OK)"),
        matters_to="clients that follow no redirect, and everybody who checks what they were sent to",
        remedy="answer in place: often a proxy adds or removes a slash, or sends http to https",
        look=redirects,
    ),
    Check(
        *(
            "discovery-failure",
            Severity.ERROR,
            "A place without metadata is answered by 404",
            "RFC 9110 section 15.5.5",
        ),
        matters_to="MCP clients, which try the next place after a 4xx and give up after a 5xx",
        remedy="answer 404 at well-known URLs that are not served",
        look=trouble,
    ),
    Check(
        *("discovery-json", Severity.ERROR, "What is served as metadata is a JSON object", "RFC 8414 section 3.2"),
        matters_to="every client that looks there; a single-page application's index.html is a frequent cause",
        remedy="send well-known URLs to the server before the catch-all; answer 404 where there is no document",
        look=pages,
    ),
    Check(
        *("discovery-type", Severity.ERROR, "Metadata is application/json", "RFC 8414 section 3.2"),
        matters_to="strict clients, such as openid-client",
        remedy="set Content-Type: application/json",
        look=content_types,
    ),
    Check(
        *("issuer", Severity.ERROR, "The issuer is the one that was asked for", "RFC 8414 section 3.3"),
        matters_to="nearly every client: the comparison is of strings",
        remedy="set the issuer of the server to the URL that clients have, byte for byte, or give clients this one; "
        "behind a proxy, configure the public URL",
        look=issuers,
    ),
    Check(
        *("discovery-agree", Severity.ERROR, "All documents say the same", "RFC 8414 section 5"),
        matters_to="clients that use one document at login and another one later",
        remedy="serve one document in all places; look for a cache or an old server behind one of them",
        look=disagreements,
    ),
)
