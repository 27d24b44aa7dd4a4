"""WebFinger: which issuer the accounts of a domain belong to (RFC 7033, OIDC Discovery 1.0 section 2).

A client that knows nothing of a user but `alice@example.com` asks example.com for this document, and finds the issuer
in it. The answer is the same for every account of a domain, so an attacker can't find out with it which accounts exist.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import attrs

from oauthcore.context import Context
from oauthcore.endpoints.endpoint import Endpoint, EndpointRequest
from oauthcore.errors import ConfigurationError, InvalidRequest
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.given import as_strings, check_strings
from oauthcore.resource_uri import comparable, is_below, without_final_slash
from oauthcore.wire.cors import ANY_ORIGIN
from oauthcore.wire.http import Request, Response
from oauthcore.wire.parameters import Parameters, parse_form
from oauthcore.wire.text import ascii_lower

# RFC 7033 section 10.1. It is at the root of the host, also if the issuer has a path.
WELL_KNOWN = "/.well-known/webfinger"
# OIDC Discovery 1.0 section 2.
ISSUER_REL = "http://openid.net/specs/connect/1.0/issuer"
REPEATABLE = frozenset({"rel"})  # RFC 7033 section 4.3

_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9](?:[a-z0-9-]{0,62}))*(?::[0-9]{1,5})?")
# RFC 7565 section 7: the user part has no @ and no colon but in percent-encoding.
_ACCOUNT = re.compile(r"acct:(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+@([A-Za-z0-9.-]+(?::[0-9]{1,5})?)")
# RFC 3986 section 3.1, and the characters of section 2.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#@!$&'()*+,;=\[\]]|%[0-9A-Fa-f]{2})+")


@attrs.frozen
class WebFinger:
    """Answer WebFinger requests (RFC 7033): `AuthorizationServer(webfinger=WebFinger(["example.com"]))`.

    `domains` are those whose accounts are all users here: `acct:` URIs with whatever name, as in
    `acct:alice@example.com`. URLs of the issuer's own are always answered for.

    Raises `ConfigurationError` for what is not a domain.
    """

    domains: tuple[str, ...] = attrs.field(default=(), converter=as_strings)

    def __attrs_post_init__(self) -> None:
        check_strings("domains", self.domains)
        for domain in self.domains:
            if not _DOMAIN.fullmatch(domain):
                remedy = "use a host in lower-case ASCII, without scheme, path and *, as in example.com"
                raise ConfigurationError("domains", domain, remedy)

    def covers(self, resource: str, issuer: str) -> bool:
        """Return whether the issuer is that of a resource: an account of the domains, or a URL of the issuer's own."""
        account = _ACCOUNT.fullmatch(resource)
        if account is not None:
            # RFC 7565 section 4: the host is compared without case. Whether there is such a user is never looked at.
            return ascii_lower(account[1]) in self.domains
        form, own = comparable(resource), comparable(issuer)
        # OIDC Discovery 1.0 section 2.1.1: a URL may identify a user, too.
        return form is not None and own is not None and is_below(form, without_final_slash(own))


def query_of(request: Request) -> Parameters:
    """Return the parameters of a request, in which a `+` is a plus sign (RFC 7033 section 4.1, RFC 3986 section 2)."""
    # In forms it is a space: `acct:alice+list@example.com` would be another account.
    return parse_form(urlsplit(request.target).query.replace("+", "%2B"), REPEATABLE)


def webfinger(settings: WebFinger, incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Say which issuer a resource belongs to."""
    return pure(Decision(decide(settings, query_of(incoming.request), context.issuer)))


def decide(settings: WebFinger, query: Parameters, issuer: str) -> Response:
    """Return the JRD of a resource (RFC 7033 section 4.4), or a 404; raises `InvalidRequest` for none."""
    # RFC 7033 section 4.2: an absent or malformed resource is a 400, one that nothing is known of a 404.
    resource = query.need("resource")
    if not _URI.fullmatch(resource):
        raise InvalidRequest.with_description("resource is not a URI")
    if not settings.covers(resource, issuer):
        return Response(404, (("Content-Type", "text/plain"),), b"Nothing is known of this resource.\n")
    wanted = query.all("rel")
    # RFC 7033 section 4.3: only the links that are asked for; without any the answer still has the subject.
    links = [{"rel": ISSUER_REL, "href": issuer}] if not wanted or ISSUER_REL in wanted else []
    headers = (("Content-Type", "application/jrd+json"), ("Cache-Control", "public, max-age=3600"))
    return Response(200, headers, json.dumps({"subject": resource, "links": links}).encode("ascii"))


def webfinger_endpoint(settings: WebFinger) -> Endpoint:
    """Return the endpoint, whose path is not below the issuer's."""
    return Endpoint(
        path=WELL_KNOWN,
        flow=lambda incoming, context: webfinger(settings, incoming, context),
        methods=("GET", "HEAD"),
        cors=ANY_ORIGIN,  # RFC 7033 section 5
        repeatable=REPEATABLE,
    )
