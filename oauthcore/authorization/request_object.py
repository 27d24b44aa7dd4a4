"""Request objects: an authorization request as a JWT, by value or by reference (OIDC Core section 6, RFC 9101).

The client has signed what is in the object, so it overrides the parameters beside it. The result is an ordinary
`AuthorizationRequest`, which is checked and stored like any other. So an object is verified and fetched only once, even
if the user has to be asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import attrs

from oauthcore.clients.client_secret_jwt import shared_keys
from oauthcore.context import Context
from oauthcore.errors import InvalidRequest, InvalidRequestObject, InvalidRequestUri, RequestNotSupported
from oauthcore.jose.compact import InvalidJwt, read_signed
from oauthcore.jose.crypto import VerifiedJwt, is_installed
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, SYMMETRIC_ALGORITHMS
from oauthcore.jose.registered_claims import SKEW, audience_of, check_times, type_of
from oauthcore.jose.strict_json import is_integer, is_time
from oauthcore.oidc.client_keys import verify_by_keys_of
from oauthcore.openid import OpenID
from oauthcore.records.client import Client
from oauthcore.records.interaction import REQUEST_PARAMETERS, AuthorizationRequest
from oauthcore.wire.text import JSON_WHITE_SPACE, ascii_lower

# RFC 9101 section 4. Objects as OIDC Core knows them say nothing of what they are, or that they are some JWT.
REQUEST_OBJECT_TYPE = "oauth-authz-req+jwt"
TYPES = frozenset({"", "jwt", REQUEST_OBJECT_TYPE})

# What is spelled as a JSON object in there, and as the text of one outside (OIDC Core section 6.1).
_OBJECTS = frozenset({"claims", "registration"})
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2}(?:\.[A-Za-z0-9_-]*){0,2}")
_SHA256 = re.compile(r"[A-Za-z0-9_-]{43}")


def apply_request_object(
    request: AuthorizationRequest, client: Client, context: Context, *, alone: bool = False
) -> AuthorizationRequest:
    """Return the request with its request object applied, if it has one; `alone` if nothing beside it counts.

    An object that the server does not accept is left in place, for `validate` to refuse. Raises `InvalidRequestObject`,
    `InvalidRequestUri`, and `DocumentNeeded` if a document has to be fetched.
    """
    # RFC 9101 section 5: the two MUST NOT be used together. Else two readers could see two requests.
    if request.request is not None and request.request_uri is not None:
        raise InvalidRequest("request and request_uri were both given")
    if request.request is None and request.request_uri is None:
        # RFC 9101 section 10.5: a client registered so is refused without an object. Else an attacker who controls the
        # browser would simply drop the signature.
        if client.require_signed_request_object:
            raise InvalidRequest(
                "the client has to send its requests as request objects (RFC 9101 section 10.5)"
            ).by_setting("client.require_signed_request_object")
        if context.request_objects.required:
            raise InvalidRequest.with_description(
                "requests have to be signed request objects here (RFC 9101)"
            ).by_setting("request_objects.required")
        return request
    by_value, by_reference = offered(context.openid)
    if not (by_reference if request.request is None else by_value):
        return request
    text = request.request or fetch_object(str(request.request_uri), client, context)
    # RFC 9101 section 6.2 before 6.3: nothing of an object counts until its signature has been verified.
    alone = alone or context.request_objects.required
    return merge(request, verify_object(text, client, context), client, alone=alone)


def offered(openid: OpenID | None) -> tuple[bool, bool]:
    """Return whether the server takes request objects by value, and by reference.

    RFC 9101 needs no OpenID Connect: a server of OAuth alone takes them if it can verify signatures at all.
    """
    if openid is None:
        return (is_installed(),) * 2
    return openid.request_objects, openid.request_uris


def fetch_object(uri: str, client: Client, context: Context) -> str:
    """Return the request object at a URL, which must be registered: strangers can't choose what the server fetches.

    The fragment is a hash of the document, with which it can be cached for longer (OIDC Core section 6.2); without one,
    the object may change soon. Raises `DocumentNeeded`, and `InvalidRequestUri`.
    """
    url, _, fragment = uri.partition("#")
    # OIDC Core section 6.2 and RFC 9101 section 10.4.1: only pre-registered URIs are fetched. Else anybody could have
    # the server send requests into its own network (SSRF).
    if url not in {registered.partition("#")[0] for registered in client.request_uris}:
        raise InvalidRequestUri("request_uri is not registered for this client").by_setting("client.request_uris")
    documents = context.documents_of(client)
    body = documents.get(url, context.now, is_token).body
    if body is None or hash_of(body) != fragment:
        body = documents.get_newer(url, context.now, is_token).body
    if body is None:
        raise InvalidRequestUri("the document at request_uri can't be fetched")
    # OIDC Core section 6.2: the fragment is the SHA-256 of the content. A document that changed since the client wrote
    # the link is not what it meant to request.
    if _SHA256.fullmatch(fragment) and hash_of(body) != fragment:
        raise InvalidRequestUri("the document at request_uri has another hash than the fragment says")
    return body.decode("ascii", "replace").strip(JSON_WHITE_SPACE)


def is_token(body: bytes) -> bool:
    """Return whether a document is a JWS or a JWE in its compact form, whose parts alone are base64url."""
    return _TOKEN.fullmatch(body.strip(JSON_WHITE_SPACE.encode("ascii"))) is not None


def hash_of(body: bytes) -> str:
    """Return the hash of the document in the fragment of a request URI (OIDC Core section 6.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode("ascii")


def verify_object(text: str, client: Client, context: Context) -> VerifiedJwt:
    """Verify an object by the client's keys, and that it is from it, for us and in time (RFC 9101 section 6).

    Raises `DocumentNeeded`, `InvalidRequestObject`, and `RequestNotSupported` for one that is not signed.
    """
    # Five parts are a JWE (RFC 7516 section 7.1). The server publishes no key to encrypt to.
    if text.count(".") == 4:
        raise InvalidRequestObject("the request object is encrypted, and the server has no key for that")
    try:
        if ascii_lower(read_signed(text).alg) == "none":
            # OIDC Core section 6.1 allows unsigned objects; a server that does not accept them uses this error (section
            # 3.1.2.6).
            raise RequestNotSupported("the request object is not signed")
        verified = _verified(text, client, context)
        # `exp` and `nbf` hold where they are there; RFC 9101 does not require them, since most client libraries leave
        # them out.
        check_times(verified.claims, context.now, must_expire=False)
        audience = audience_of(verified.claims)
    except InvalidJwt as invalid:
        raise InvalidRequestObject(f"the request object is refused: {invalid}") from None
    kind, claims = type_of(verified.header), verified.claims
    # RFC 8725 section 3.11: a JWT made for another purpose, an ID token or an access token, is no request object.
    if kind not in TYPES:
        raise InvalidRequestObject("the request object's typ is that of another kind of JWT")
    # RFC 9101 section 4: `iss` is the client. Its keys alone would not say so: two clients may share a JWK set.
    if claims.get("iss", client.client_id) != client.client_id:
        raise InvalidRequestObject("the request object's iss is not the client")
    # RFC 9101 section 4: `aud` SHOULD be the issuer. An object for another server was not meant for this one, and may
    # carry a request that the user has answered there. Objects of OIDC Core that name no audience are taken.
    if context.issuer not in audience and (audience or "aud" in claims or kind == REQUEST_OBJECT_TYPE):
        raise InvalidRequestObject("the request object's aud is not this server")
    if claims.get("sub") == client.client_id:
        # RFC 9101 section 10.8: it could serve as a client assertion elsewhere, and one could serve as it here.
        raise InvalidRequestObject("the request object's sub is the client, as in a client assertion")
    if context.request_objects.max_lifetime is not None:
        check_bounded(claims, context.request_objects.max_lifetime, context.now)
    return verified


def check_bounded(claims: Mapping[str, object], max_lifetime: int, now: int) -> None:
    """Check that an object says for whom and for how long it is (FAPI 2.0 Message Signing section 5.3.1).

    Else one that was read in some log or history could be sent again after years.
    """
    nbf, exp = claims.get("nbf"), claims.get("exp")
    if "aud" not in claims or not is_time(nbf) or not is_time(exp):
        raise InvalidRequestObject("aud, nbf and exp are required in a request object here").by_setting(
            "request_objects.max_lifetime"
        )
    if now > nbf + max_lifetime + SKEW or exp > nbf + max_lifetime:
        raise InvalidRequestObject("the request object's nbf is too long ago, or its exp too long after it").by_setting(
            "request_objects.max_lifetime"
        )


def _verified(text: str, client: Client, context: Context) -> VerifiedJwt:
    """Verify the signature: by the registered algorithm, or by any with a public key if none is registered."""
    alg = client.request_object_signing_alg
    if alg in SYMMETRIC_ALGORITHMS:
        return context.verify(text, shared_keys(client, context), (alg,))
    return verify_by_keys_of(client, text, ASYMMETRIC_ALGORITHMS if alg is None else (alg,), context)


def merge(
    request: AuthorizationRequest, verified: VerifiedJwt, client: Client, *, alone: bool = False
) -> AuthorizationRequest:
    """Replace the parameters beside the object by those in it.

    OIDC Core section 6.1 also uses parameters that are only outside. RFC 9101 section 6.3 forbids that, because anybody
    could have added them. The latter rule applies to an object of that type, and to a client that has to sign its
    requests; and to a pushed one (RFC 9126 section 3).
    """
    inside = parameters_in(verified.claims)
    for name in ("client_id", "response_type"):
        outer = getattr(request, name)
        # RFC 9101 section 6.3 (`client_id`) and OIDC Core section 6.1 (both): the values inside and outside MUST match.
        if outer is not None and inside.get(name, outer) != outer:
            raise InvalidRequestObject(f"{name} in the request object is not the one beside it")
    alone = alone or type_of(verified.header) == REQUEST_OBJECT_TYPE or client.require_signed_request_object
    base = AuthorizationRequest(client_id=request.client_id) if alone else request
    # The object is removed from the request here, so that it is not applied twice.
    return attrs.evolve(base, **inside, request=None, request_uri=None, object_signing_alg=str(verified.header["alg"]))


def parameters_in(claims: Mapping[str, object]) -> dict[str, Any]:
    """Return the parameters among an object's claims, as they are spelled outside; blank ones are absent."""
    # OIDC Core section 6.1 and RFC 9101 section 4 forbid it: objects could be nested without end.
    if "request" in claims or "request_uri" in claims:
        raise InvalidRequestObject("the request object has another one in it, or names one (OIDC Core section 6.1)")
    given = [name for name in REQUEST_PARAMETERS if claims.get(name) is not None]
    spelled = {
        name: _listed(name, claims[name]) if name == "resource" else _spelled(name, claims[name]) for name in given
    }
    return {name: value for name, value in spelled.items() if value}


def _listed(name: str, value: object) -> tuple[str, ...]:
    """Return the values of a parameter that may be repeated: a list of them, or one (RFC 9101 section 4)."""
    return tuple(filter(None, [_spelled(name, one) for one in (value if isinstance(value, list) else [value])]))


def _spelled(name: str, value: object) -> str:
    if isinstance(value, str) and "\0" not in value:
        return value
    if name == "max_age" and is_integer(value):
        return str(value)
    # RFC 9396 section 3: in a request object it is an array, outside its text.
    if (name in _OBJECTS and isinstance(value, dict)) or (name == "authorization_details" and isinstance(value, list)):
        try:
            return json.dumps(value, separators=(",", ":"), allow_nan=False)
        except ValueError:
            pass
    raise InvalidRequestObject(f"{name} in the request object is of a type that it can't have")
