"""What is seen with a client that the operator lends: errors that are sent to its redirect URI, tokens of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from oauthcore.jose.strict_json import is_integer, is_time, parse_object
from oauthcore.wire.text import ascii_lower, media_type, words
from oauthcore_doctor.checks.endpoints import answered, error_of
from oauthcore_doctor.checks.transport import SKEW
from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Exchange, Observations, Probe, origin_of, text_of
from oauthcore_doctor.walk import STATE


def redirected(seen: Observations, probe: Probe) -> dict[str, list[str]] | None:
    """Return the parameters that were sent to the client's redirect URI; None if nothing was."""
    response, client = seen.response(probe), seen.target.client
    location = response.header("location") if response is not None and 300 <= response.status < 400 else None
    if location is None or client is None or client.redirect_uri is None:
        return None
    if location.partition("?")[0].partition("#")[0] != client.redirect_uri.partition("?")[0]:
        return None
    parts = urlsplit(location)
    return parse_qs(parts.query or parts.fragment, keep_blank_values=True)


def error_reaches(seen: Observations) -> Iterator[str]:
    """Find that a client does not hear of an error."""
    exchange = seen.exchanges.get(Probe.CLIENT_ERROR)
    if exchange is None or exchange.response is None:
        return
    parameters = redirected(seen, Probe.CLIENT_ERROR)
    if parameters is None:
        yield f"an unknown response_type is answered by {exchange.summary}, and no redirect to the client"
    elif parameters.get("state") != [STATE] or "error" not in parameters:
        yield f"the redirect has {', '.join(sorted(parameters)) or 'no parameters'}; error and state are needed"


def iss(seen: Observations) -> Iterator[str]:
    """Find that `iss` is not what was announced."""
    parameters = redirected(seen, Probe.CLIENT_ERROR)
    if parameters is None or seen.metadata.get("authorization_response_iss_parameter_supported") is not True:
        return
    if parameters.get("iss") != [text_of(seen.metadata, "issuer")]:
        yield f"an error response has {' and '.join(parameters.get('iss', ['no iss']))}"


def pkce(seen: Observations) -> Iterator[str]:
    """Find that a request without PKCE goes on."""
    exchange = seen.exchanges.get(Probe.CLIENT_WITHOUT_PKCE)
    if exchange is None or exchange.response is None:
        return
    parameters = redirected(seen, Probe.CLIENT_WITHOUT_PKCE)
    if parameters is not None and parameters.get("error") not in (["invalid_request"], ["unauthorized_client"]):
        yield f"a request without code_challenge gets {' '.join(parameters.get('error', ['no error']))}"


def plain(seen: Observations) -> Iterator[str]:
    """Find a client that may use PKCE by plain, which shows the verifier to who reads the request."""
    exchange, parameters = seen.exchanges.get(Probe.CLIENT_PLAIN), redirected(seen, Probe.CLIENT_PLAIN)
    if exchange is not None and parameters is not None and parameters.get("error") != ["invalid_request"]:
        yield f"code_challenge_method=plain gets {' '.join(parameters.get('error', ['no error']))}"


def other_redirect(seen: Observations) -> Iterator[str]:
    """Find a redirect URI that only begins like the registered one."""
    response, client = seen.response(Probe.CLIENT_OTHER_REDIRECT), seen.target.client
    location = (response.header("location") if response is not None else None) or ""
    if client is not None and client.redirect_uri is not None and location.startswith(client.redirect_uri):
        yield f"the browser is redirected to {location.partition('?')[0]}"


def twice(seen: Observations) -> Iterator[str]:
    """Find a request whose parameter is there twice, and which goes on."""
    parameters = redirected(seen, Probe.CLIENT_TWICE)
    if parameters is not None and parameters.get("error") != ["invalid_request"]:
        yield f"code_challenge_method twice gets {' '.join(parameters.get('error', ['no error']))}"


def silent(seen: Observations) -> Iterator[str]:
    """Find a page where none may be shown."""
    exchange = seen.exchanges.get(Probe.CLIENT_SILENT)
    if exchange is None or exchange.response is None or exchange.response.status == 429:
        return
    parameters = redirected(seen, Probe.CLIENT_SILENT)
    if parameters is None or not parameters.get("error"):
        yield f"prompt=none without a session: {exchange.summary}, and no error for the client"


def first_page(seen: Observations) -> Exchange | None:
    """Return the page that the client's users see first; None if it is not HTML, or at another server."""
    for probe in (Probe.CLIENT_PAGE_BEHIND, Probe.CLIENT_PAGE):
        response = seen.response(probe)
        if response is not None and response.status == 200:
            kind = media_type(response.header("content-type"))
            return seen.exchanges[probe] if kind == "text/html" else None
    return None


def framing(seen: Observations) -> Iterator[str]:
    """Find a page that others can put into a frame."""
    page = first_page(seen)
    if page is None or page.response is None or page.response.header("x-frame-options"):
        return
    if "frame-ancestors" not in (page.response.header("content-security-policy") or ""):
        yield f"{page.request.url.partition('?')[0]} has neither frame-ancestors nor X-Frame-Options"


def page_kept(seen: Observations) -> Iterator[str]:
    """Find a page that caches keep."""
    page = first_page(seen)
    if page is None or page.response is None:
        return
    control = page.response.header("cache-control") or "none"
    if "no-store" not in ascii_lower(control):
        yield f"{page.request.url.partition('?')[0]} has Cache-Control: {control}"


def form_action(seen: Observations) -> Iterator[str]:
    """Find a page whose form may not end at the client: Chromium applies form-action to redirects after it."""
    page, client = first_page(seen), seen.target.client
    if page is None or page.response is None or client is None or client.redirect_uri is None:
        return
    policy = page.response.header("content-security-policy") or ""
    directives = (words(each) for each in policy.split(";"))
    directive = next((each for each in directives if each[:1] == ("form-action",)), None)
    if directive is None or {"*", "https:", urlsplit(client.redirect_uri).scheme + ":"} & set(directive):
        return
    if origin_of(client.redirect_uri) not in directive:
        yield f"form-action {' '.join(directive[1:])} leaves out {origin_of(client.redirect_uri)}"


def unknown_grant(seen: Observations) -> Iterator[str]:
    """Find another error than the one for a grant type that there is not."""
    for _, exchange, status in answered(seen, Probe.CLIENT_GRANT):
        code = error_of(exchange)
        if status < 400 or code not in {"unsupported_grant_type", "unauthorized_client", "invalid_client"}:
            yield f"an unknown grant_type: {exchange.summary}, {code or 'no OAuth error'}"


def revoked(seen: Observations) -> Iterator[str]:
    """Find that revoking what there is not fails."""
    for _, exchange, status in answered(seen, Probe.CLIENT_REVOCATION):
        if status != 200 and error_of(exchange) not in {"invalid_client", "unauthorized_client"}:
            yield f"an unknown token: {exchange.summary}"


def issued(seen: Observations) -> Iterator[str]:
    """Find what is wrong in a token response."""
    exchange, document = seen.exchanges.get(Probe.CLIENT_CREDENTIALS), seen.document(Probe.CLIENT_CREDENTIALS)
    if exchange is None or exchange.response is None or document is None:
        return
    if not isinstance(document.get("access_token"), str) or not isinstance(document.get("token_type"), str):
        yield "access_token or token_type is missing"
    if "expires_in" in document and not is_integer(document["expires_in"]):
        yield "expires_in is no integer"
    if "refresh_token" in document:
        yield "client credentials get a refresh token"
    if "no-store" not in ascii_lower(exchange.response.header("cache-control") or ""):
        yield "Cache-Control is not no-store"


def issued_at(seen: Observations) -> Iterator[str]:
    """Find a token that is from another time."""
    exchange, document = seen.exchanges.get(Probe.CLIENT_CREDENTIALS), seen.document(Probe.CLIENT_CREDENTIALS)
    if exchange is None or document is None:
        return
    iat = claims_of(text_of(document, "access_token") or "").get("iat")
    if is_time(iat) and abs(iat - exchange.at) > SKEW:
        way = "ahead of" if iat > exchange.at else "behind"
        yield f"iat of a fresh token is {abs(iat - exchange.at):.0f} seconds {way} this machine's clock"


def claims_of(token: str) -> Mapping[str, object]:
    """Return what stands in a JWT, which is not verified: it came from where it was asked for; empty for no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return parse_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}


def pushed(seen: Observations) -> Iterator[str]:
    """Find a pushed request that is checked only later."""
    for _, exchange, status in answered(seen, Probe.CLIENT_PUSHED):
        if status < 400 or error_of(exchange) is None:
            yield f"a pushed request with an unknown response_type: {exchange.summary}, and no OAuth error"


def introspected(seen: Observations) -> Iterator[str]:
    """Find what is wrong in the answer about a token that there is not."""
    response = seen.response(Probe.CLIENT_INTROSPECTION)
    if response is None or response.status != 200:
        return
    try:
        active = parse_object(response.body).get("active")
    except ValueError:
        active = None
    if active is not False:
        yield "a token that was never issued is not active: false"


CHECKS = (
    Check(
        *("client-error", Severity.ERROR, "Errors reach the client", "RFC 6749 section 4.1.2.1"),
        matters_to="the client, whose people are left on a page of the server",
        remedy="redirect with error and state once client and redirect URI are known; see that "
        "--redirect-uri is registered for --client-id",
        look=error_reaches,
    ),
    Check(
        *("client-iss", Severity.ERROR, "iss is in the response as announced", "RFC 9207 section 2"),
        matters_to="clients that check it: they refuse every response",
        remedy="put the issuer as iss into each authorization response, errors too",
        look=iss,
    ),
    Check(
        *("client-pkce", Severity.WARNING, "A request without PKCE is refused", "RFC 9700 section 2.1.1"),
        matters_to="this client: its codes can be injected",
        remedy="require PKCE of the client",
        look=pkce,
    ),
    Check(
        *("client-plain", Severity.WARNING, "PKCE by plain is refused", "RFC 9700 section 2.1.1; RFC 7636 section 7.2"),
        matters_to="this client: who reads its request has the verifier",
        remedy="take S256 alone",
        look=plain,
    ),
    Check(
        *(
            "client-redirect",
            Severity.ERROR,
            "A redirect URI is compared as a whole",
            "RFC 9700 sections 2.1 and 4.1.3; RFC 6749 section 3.1.2.3",
        ),
        matters_to="this client's users: their codes are sent to whatever is below its redirect URI",
        remedy="compare strings, and show an error page",
        look=other_redirect,
    ),
    Check(
        *("client-twice", Severity.WARNING, "No parameter is there twice", "RFC 6749 section 3.1"),
        matters_to="everybody, where a firewall reads the one and the server the other",
        remedy="answer invalid_request",
        look=twice,
    ),
    Check(
        *("client-silent", Severity.ERROR, "prompt=none shows no page", "OIDC Core section 3.1.2.1"),
        matters_to="applications that look in a hidden frame whether their user is still signed in",
        remedy="redirect with login_required, or what else is missing",
        look=silent,
    ),
    Check(
        *("client-framing", Severity.WARNING, "No page can be put into a frame", "RFC 9700 section 4.16"),
        matters_to="users, who are made to click on what they don't see",
        remedy="send Content-Security-Policy: frame-ancestors 'none'",
        look=framing,
    ),
    Check(
        *("client-page", Severity.WARNING, "No cache keeps a page of the login", "RFC 9111 section 5.2.2.5"),
        matters_to="users who share a cache or a computer",
        remedy="send Cache-Control: no-store",
        look=page_kept,
    ),
    Check(
        *(
            "client-form",
            Severity.WARNING,
            "A form may end at the client",
            "Content Security Policy Level 3, form-action",
        ),
        matters_to="users of Chromium, whose login ends nowhere: there form-action is for redirects, too",
        remedy="leave form-action out of this page's policy, or add the origin of the redirect URI",
        look=form_action,
    ),
    Check(
        *("client-grant", Severity.WARNING, "An unknown grant type is called that", "RFC 6749 section 5.2"),
        matters_to="clients that try another grant then",
        remedy="answer unsupported_grant_type",
        look=unknown_grant,
    ),
    Check(
        *("client-revocation", Severity.ERROR, "An unknown token is revoked already", "RFC 7009 section 2.2"),
        matters_to="clients that sign out",
        remedy="answer 200",
        look=revoked,
    ),
    Check(
        *("client-token", Severity.ERROR, "The token response is whole", "RFC 6749 sections 4.4.3 and 5.1"),
        matters_to="this client",
        remedy="answer as the standard has it",
        look=issued,
    ),
    Check(
        *("client-iat", Severity.WARNING, "A fresh token is from now", "RFC 9068 section 2.2; RFC 7519 section 4.1.6"),
        matters_to="resource servers that refuse tokens from the future",
        remedy="keep the clock of whatever signs tokens by NTP",
        look=issued_at,
    ),
    Check(
        *("client-pushed", Severity.WARNING, "A pushed request is checked at once", "RFC 9126 section 2.1"),
        matters_to="the client, which learns of its mistake when its user is at the server",
        remedy="check at the endpoint whatever the authorization endpoint checks",
        look=pushed,
    ),
    Check(
        *("client-introspection", Severity.ERROR, "An unknown token is not active", "RFC 7662 section 2.2"),
        matters_to="resource servers that ask",
        remedy='answer {"active": false}',
        look=introspected,
    ),
)
