"""A protected resource: its challenge, and what it publishes of itself (RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterator

from oauthcore.wire.text import media_type, words
from oauthcore_doctor.challenge import parameters_of, scheme_of
from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import RESOURCE_METADATA, Observations, Probe, text_of, texts_of

SCHEMES = frozenset({"bearer", "dpop"})


def challenge_of(seen: Observations, probe: Probe = Probe.RESOURCE) -> str:
    """Return the challenge of a 401; blank for none."""
    response = seen.response(probe)
    return (response.header("www-authenticate") if response is not None and response.status == 401 else None) or ""


def challenged(seen: Observations) -> Iterator[str]:
    """Find a resource that does not ask for a token as it should."""
    exchange = seen.exchanges.get(Probe.RESOURCE)
    if exchange is None or exchange.response is None or 300 <= exchange.response.status < 400:
        return
    if exchange.response.status != 401:
        yield f"GET {exchange.request.url} without a token: {exchange.summary}, and not 401"
    elif scheme_of(challenge_of(seen)) not in SCHEMES:
        yield f"401 with {challenge_of(seen) or 'no WWW-Authenticate'}, which does not begin with Bearer or DPoP"


def redirected(seen: Observations) -> Iterator[str]:
    """Find a resource that is somewhere else."""
    exchange = seen.exchanges.get(Probe.RESOURCE)
    if exchange is not None and exchange.response is not None and 300 <= exchange.response.status < 400:
        yield f"{exchange.request.url} redirects to {exchange.response.header('location') or 'nowhere'}"


def linked(seen: Observations) -> Iterator[str]:
    """Find a challenge that does not say where the metadata is."""
    if challenge_of(seen) and "resource_metadata" not in parameters_of(challenge_of(seen)):
        yield f"the challenge is {challenge_of(seen)}"


def scope(seen: Observations) -> Iterator[str]:
    """Find a challenge that does not say what to ask for."""
    if challenge_of(seen) and "scope" not in parameters_of(challenge_of(seen)):
        yield f"the challenge is {challenge_of(seen)}"


def error_too_early(seen: Observations) -> Iterator[str]:
    """Find an error for a client that has not tried anything."""
    error = parameters_of(challenge_of(seen)).get("error")
    if error is not None:
        yield f"a request without a token gets error={error}"


def bad_token(seen: Observations) -> Iterator[str]:
    """Find a resource that takes any token, or does not say that one is no good."""
    exchange = seen.exchanges.get(Probe.RESOURCE_BAD_TOKEN)
    if exchange is None or exchange.response is None or 300 <= exchange.response.status < 400:
        return
    error = parameters_of(challenge_of(seen, Probe.RESOURCE_BAD_TOKEN)).get("error")
    if error != "invalid_token":
        yield f"a token that was never issued: {exchange.summary}, {f'error={error}' if error else 'and no error'}"


def scheme_in_any_case(seen: Observations) -> Iterator[str]:
    """Find a resource that knows the scheme in one spelling only."""
    bad, lower = seen.response(Probe.RESOURCE_BAD_TOKEN), seen.response(Probe.RESOURCE_LOWER)
    if bad is None or lower is None or 429 in {bad.status, lower.status}:
        return
    errors = [parameters_of(response.header("www-authenticate") or "").get("error") for response in (bad, lower)]
    if bad.status != lower.status or errors[0] != errors[1]:
        yield f"after bearer: {lower.status} {errors[1] or ''}; after Bearer: {bad.status} {errors[0] or ''}"


def in_query(seen: Observations) -> Iterator[str]:
    """Find a resource that reads a token in its URL."""
    response = seen.response(Probe.RESOURCE_QUERY)
    if response is None or response.status == 429:
        return
    before = parameters_of(challenge_of(seen)).get("error")
    error = parameters_of(response.header("www-authenticate") or "").get("error")
    if error != before or response.status < 400:
        yield f"access_token in the query changes the answer to {response.status} {error or ''}"


def found(seen: Observations) -> Iterator[str]:
    """Find that nothing is published about the resource."""
    if seen.target.resource is not None and seen.resource_metadata is None:
        tried = [seen.exchanges[probe] for probe in RESOURCE_METADATA if probe in seen.exchanges]
        yield "; ".join(f"{exchange.request.url}: {exchange.summary}" for exchange in tried)


def link_leads(seen: Observations) -> Iterator[str]:
    """Find a link of the challenge that leads to no document."""
    if Probe.RESOURCE_LINKED in seen.exchanges and seen.document(Probe.RESOURCE_LINKED) is None:
        exchange = seen.exchanges[Probe.RESOURCE_LINKED]
        yield f"resource_metadata is {exchange.request.url}: {exchange.summary}"


def inserted(seen: Observations) -> Iterator[str]:
    """Find metadata that is not where clients look without a challenge."""
    if seen.resource_metadata is not None and seen.document(Probe.RESOURCE_INSERTED) is None:
        exchange = seen.exchanges[Probe.RESOURCE_INSERTED]
        yield f"{exchange.request.url}: {exchange.summary}"


def names_itself(seen: Observations) -> Iterator[str]:
    """Find metadata of another resource than the one that was asked for."""
    for probe in (Probe.RESOURCE_LINKED, Probe.RESOURCE_INSERTED):
        document = seen.document(probe)
        if document is not None and document.get("resource") != seen.target.resource:
            where = seen.exchanges[probe].request.url
            yield f"{where} has resource {text_of(document, 'resource')}, and not {seen.target.resource}"


def content_type(seen: Observations) -> Iterator[str]:
    """Find metadata that is not said to be JSON."""
    for probe in RESOURCE_METADATA:
        response = seen.response(probe)
        if response is not None and seen.document(probe) is not None:
            kind = response.header("content-type")
            if media_type(kind) != "application/json":
                yield f"{seen.exchanges[probe].request.url} has Content-Type {kind or 'none'}"


def servers(seen: Observations) -> Iterator[str]:
    """Find metadata that sends clients to other authorization servers than the one that is examined."""
    document = seen.resource_metadata
    if document is None:
        return
    listed = texts_of(document, "authorization_servers")
    if not listed:
        yield "authorization_servers is missing, or empty"
    elif seen.issuer is not None and seen.issuer not in listed:
        yield f"authorization_servers has {', '.join(listed)}, and not {seen.issuer}"


def several(seen: Observations) -> Iterator[str]:
    """Find several authorization servers, of which most clients take the first."""
    listed = texts_of(seen.resource_metadata or {}, "authorization_servers") or ()
    if len(listed) > 1:
        yield f"authorization_servers has {', '.join(listed)}"


def offline(seen: Observations) -> Iterator[str]:
    """Find that a resource asks for what is between client and authorization server."""
    if "offline_access" in (texts_of(seen.resource_metadata or {}, "scopes_supported") or ()):
        yield "scopes_supported of the resource has offline_access"
    if "offline_access" in words(parameters_of(challenge_of(seen)).get("scope")):
        yield "scope of the challenge has offline_access"


def header(seen: Observations) -> Iterator[str]:
    """Find that tokens are not taken where clients put them."""
    methods = texts_of(seen.resource_metadata or {}, "bearer_methods_supported")
    if methods is not None and "header" not in methods:
        yield f"bearer_methods_supported has {', '.join(methods) or 'nothing'}"


def unknown_scopes(seen: Observations) -> Iterator[str]:
    """Find scopes that clients are sent to ask for, and the authorization server does not list."""
    offered = texts_of(seen.metadata, "scopes_supported")
    needed = set(texts_of(seen.resource_metadata or {}, "scopes_supported") or ())
    needed |= set(words(parameters_of(challenge_of(seen)).get("scope")))
    if offered is not None and needed - set(offered):
        yield f"the authorization server does not list {', '.join(sorted(needed - set(offered)))}"


_MCP = "MCP clients"
CHECKS = (
    Check(
        *("resource-challenge", Severity.ERROR, "A request without a token is challenged", "RFC 6750 section 3"),
        matters_to="every client that finds out by the challenge how to sign in",
        remedy="answer 401 with WWW-Authenticate: Bearer before anything else is looked at",
        look=challenged,
    ),
    Check(
        *("resource-redirect", Severity.ERROR, "The resource does not redirect", "RFC 9728 section 3.3"),
        matters_to="MCP clients: a redirect from /mcp to /mcp/ loses the POST or the token",
        remedy="answer in place, or give clients the URL that it redirects to",
        look=redirected,
    ),
    Check(
        *("resource-link", Severity.ERROR, "The challenge says where the metadata is", "RFC 9728 section 5.1"),
        matters_to=_MCP,
        remedy='add resource_metadata="…" to WWW-Authenticate',
        look=linked,
    ),
    Check(
        *(
            "resource-scope",
            Severity.WARNING,
            "The challenge says which scope is needed",
            "RFC 6750 section 3; MCP authorization 2026-07-28",
        ),
        matters_to="MCP clients, which else ask for everything that is listed, or for nothing",
        remedy='add scope="…" to WWW-Authenticate',
        look=scope,
    ),
    Check(
        *("resource-early-error", Severity.WARNING, "Without a token there is no error", "RFC 6750 section 3.1"),
        matters_to="clients that drop a token, or begin anew, at invalid_token",
        remedy="leave error out of the challenge if the request had no token",
        look=error_too_early,
    ),
    Check(
        *("resource-bad-token", Severity.ERROR, "A bad token is refused as such", "RFC 6750 section 3.1"),
        matters_to="clients that renew a token at invalid_token; and everybody, if it is let in",
        remedy='answer 401 with error="invalid_token"',
        look=bad_token,
    ),
    Check(
        *("resource-scheme", Severity.WARNING, "Bearer may be written in any case", "RFC 9110 section 11.1"),
        matters_to="clients that write the token_type of the response as it came, which is often bearer",
        remedy="compare the scheme without regard to case",
        look=scheme_in_any_case,
    ),
    Check(
        *(
            "resource-query",
            Severity.WARNING,
            "No token is read in a URL",
            "RFC 9700 section 4.3.2; RFC 6750 section 2.3",
        ),
        matters_to="users: tokens in URLs end up in logs and histories",
        remedy="ignore access_token in the query",
        look=in_query,
    ),
    Check(
        *("resource-metadata", Severity.ERROR, "The resource's metadata is found", "RFC 9728 section 3"),
        matters_to=_MCP,
        remedy="serve it at /.well-known/oauth-protected-resource with the resource's path behind",
        look=found,
    ),
    Check(
        *("resource-link-leads", Severity.ERROR, "The link of the challenge leads to metadata", "RFC 9728 section 5.1"),
        matters_to="MCP's TypeScript SDK, which looks nowhere else then",
        remedy="name the URL at which the document is served, as clients reach it",
        look=link_leads,
    ),
    Check(
        *("resource-inserted", Severity.WARNING, "Metadata is inserted before the path", "RFC 9728 section 3.1"),
        matters_to="clients that look there without having met a challenge",
        remedy="serve the document there, too",
        look=inserted,
    ),
    Check(
        *("resource-equal", Severity.ERROR, "The metadata is that of the resource", "RFC 9728 section 3.3"),
        matters_to="every client: it has to discard the document else, so as not to be led to another's",
        remedy="set resource to the URL that clients have, byte for byte",
        look=names_itself,
    ),
    Check(
        *("resource-type", Severity.ERROR, "The resource's metadata is application/json", "RFC 9728 section 3.2"),
        matters_to="strict clients",
        remedy="set Content-Type: application/json",
        look=content_type,
    ),
    Check(
        *(
            "resource-servers",
            Severity.ERROR,
            "The authorization server is named",
            "RFC 9728 section 2; MCP authorization 2026-07-28",
        ),
        matters_to="MCP clients, which compare it with the issuer as a string",
        remedy="put the issuer into authorization_servers, byte for byte: mind the slash at the end",
        look=servers,
    ),
    Check(
        *("resource-several", Severity.NOTE, "There is one authorization server", "RFC 9728 section 7.6"),
        matters_to="clients, most of which take the first and look at no other",
        remedy="put the one first that clients are to use",
        look=several,
    ),
    Check(
        *(
            "resource-offline",
            Severity.WARNING,
            "The resource does not ask for offline_access",
            "MCP authorization 2026-07-28",
        ),
        matters_to="MCP clients, which would ask for it at each sign-in",
        remedy="list the resource's own scopes alone",
        look=offline,
    ),
    Check(
        *(
            "resource-header",
            Severity.ERROR,
            "Tokens are taken in the header",
            "RFC 9728 section 2; RFC 6750 section 2.1",
        ),
        matters_to="nearly every client",
        remedy='add "header" to bearer_methods_supported',
        look=header,
    ),
    Check(
        *(
            "resource-scopes",
            Severity.WARNING,
            "The scopes of the resource are known",
            "RFC 9728 section 2; RFC 8414 section 2",
        ),
        matters_to="MCP clients, which ask for them and may be refused by invalid_scope",
        remedy="add them to scopes_supported of the authorization server, and let clients ask for them",
        look=unknown_scopes,
    ),
)
