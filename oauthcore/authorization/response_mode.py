"""Response modes: how the answer to an authorization request travels to the client.

Every answer, success or error, carries `state` as it came (RFC 6749 section 4.1.2) and `iss`, so that a client of
several servers knows which one answered (RFC 9207).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import assert_never

import attrs

from oauthcore.authorization.jwt_response import JwtResponse, encryption_of_responses, requested_mode
from oauthcore.authorization.response_type import RESPONSE_TYPES
from oauthcore.authorization.validated import Redirectable
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.errors import OAuthError
from oauthcore.redirect_uri import ResponseMode, form_encoded, with_encoded
from oauthcore.wire.http import Headers, Refusal, Response, see_other
from oauthcore.wire.refusals import PAGE_HEADERS

_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
# The one script this server ever sends, allowed by its hash; without scripts the button does the same.
_FORM_POST_HEADERS: Headers = (
    *PAGE_HEADERS,
    (
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'sha256-{_SUBMIT_HASH}'; frame-ancestors 'none'; base-uri 'none'",
    ),
)


def answer(redirectable: Redirectable, mode: ResponseMode, parameters: Mapping[str, str], context: Context) -> Response:
    """Send parameters to the client's redirect URI, and to no other: it takes the proof to build this."""
    everything = dict(parameters)
    # RFC 6749 section 4.1.2: `state` is REQUIRED in the response if it was in the request, with the exact value.
    if redirectable.request.state is not None:
        everything["state"] = redirectable.request.state
    match mode:
        case "query" | "fragment":
            # 303, not 307: after a POST a 307 would have the browser repost the form, with the user's password, to the
            # client (RFC 9700 section 4.12). RFC 9207 section 2: `iss` in every answer is the defence against mix-up
            # (RFC 9700 section 4.4.2).
            added = [form_encoded(everything.items()), _encoded_iss(context.issuer)]
            return see_other(with_encoded(redirectable.redirect.uri, mode, "&".join(filter(None, added))))
        case "form_post":
            everything["iss"] = context.issuer
            # Form Post Response Mode section 2: the parameters are in the body, and so in no URL or Referer header.
            return Response(200, _FORM_POST_HEADERS, form_post_page(redirectable.redirect.uri, everything))
        case _:
            assert_never(mode)


@lru_cache(maxsize=16)
def _encoded_iss(issuer: str) -> str:
    """Encode what is the same in every answer: it took half as long as encoding all of it."""
    return form_encoded([("iss", issuer)])


def send_jwt(redirectable: Redirectable, mode: ResponseMode, jwt: str) -> Response:
    """Send a response that is a JWT (JARM section 2.3): it has all parameters in it, `iss` among them."""
    uri, parameters = redirectable.redirect.uri, {"response": jwt}
    if mode == "form_post":
        return Response(200, _FORM_POST_HEADERS, form_post_page(uri, parameters))
    return see_other(with_encoded(uri, mode, form_encoded(parameters.items())))


def refuse(redirectable: Redirectable, error: OAuthError, context: Context) -> Response | JwtResponse:
    """Send an error to the client's redirect URI (RFC 6749 section 4.1.2.1): as it is, or to be signed first."""
    error = explain(error, redirectable.client, context)
    parameters = {"error": error.code, "error_description": error.error_description}
    refusal = Refusal(error.code, error.reason)
    mode, is_jwt = mode_for_errors(redirectable, context)
    if is_jwt:
        encryption = encryption_of_responses(redirectable.client, context)
        return JwtResponse(redirectable, mode, parameters, encryption, refusal)
    return attrs.evolve(answer(redirectable, mode, parameters, context), refusal=refusal)


def mode_for_errors(redirectable: Redirectable, context: Context) -> tuple[ResponseMode, bool]:
    """Return the mode the client listens for, and whether for a JWT.

    It is the one it asked for if that can be, else its response type's default.
    """
    name = " ".join(sorted((redirectable.request.response_type or "").split(" ")))
    response_type = RESPONSE_TYPES.get(name)
    modes: tuple[ResponseMode, ...] = ("query", "fragment", "form_post")
    if response_type is not None:
        modes = response_type.modes
    # The type is unknown, but the client waits for a token in the fragment: an error in the query would not reach its
    # script.
    elif {"token", "id_token"} & set(name.split(" ")):
        modes = ("fragment", "form_post")
    wanted = redirectable.request.response_mode
    return requested_mode(wanted, modes, redirectable.client, context) or (modes[0], False)


def form_post_page(uri: str, parameters: Mapping[str, str]) -> bytes:
    """Make a form that submits itself (OAuth 2.0 Form Post Response Mode section 2)."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{_attribute(value)}">' for name, value in parameters.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Back to the application</title></head><body>'
        f'<form method="post" action="{escape(uri)}">{fields}<button type="submit">Continue</button></form>'
        f"<script>{_SUBMIT}</script></body></html>"
    ).encode()


def _attribute(value: str) -> str:
    # A newline in an attribute is one only as a character reference: the parser normalises bare carriage returns.
    return escape(value).replace("\r", "&#13;").replace("\n", "&#10;")
