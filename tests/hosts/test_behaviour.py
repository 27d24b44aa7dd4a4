"""What a server does, whatever serves it.

All of it is shown on the h11 server, below every prefix, on one ASGI server and on one WSGI server. Other servers bring
the same requests to the same adapters. So on each of them, and with each framework's example, is shown what is of its
own doing (`every_host`), and the quick start below each prefix; `test_differential` compares the rest byte for byte.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import httpx
import pytest

from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set
from tests.core.site import VERIFIER
from tests.hosts.site import REDIRECT
from tests.hosts.visitor import APP, FORM, ExampleVisitor, Visitor, answered
from tests.pages.html import Page

pytestmark = pytest.mark.slow


def challenge(visitor: Visitor, authorization: str | None) -> tuple[int, str]:
    response = visitor.me(authorization)
    return response.status_code, response.headers["www-authenticate"]


@pytest.mark.every_prefix
def test_quick_start_is_walked_from_the_first_click_to_the_refresh(visitor: Visitor) -> None:
    answer = visitor.answer()
    assert answer["state"] == "s t%ä&=+"
    assert "iss" in answer

    response = visitor.redeem(answer["code"])
    granted = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert granted["token_type"] == "Bearer"
    assert granted["scope"] == "profile email"
    assert "sub" in visitor.me(f"Bearer {granted['access_token']}").json()

    refreshed = visitor.token(grant_type="refresh_token", refresh_token=granted["refresh_token"]).json()
    assert refreshed["access_token"] != granted["access_token"]
    assert visitor.me(f"Bearer {refreshed['access_token']}").status_code == 200


def test_whoever_offers_openid_connect_gives_id_tokens_and_tells_who_it_is(visitor: Visitor) -> None:
    """OIDC Core sections 3.1.3.3 and 5.3; the examples speak OAuth alone, and say so."""
    document = visitor.metadata().json()
    if "userinfo_endpoint" not in document:
        assert "id_token" not in visitor.tokens()
        return
    answer = visitor.answer(scope="openid email", nonce="n")
    granted = visitor.redeem(answer["code"]).json()
    keys = visitor.get("/jwks")

    verified = crypto.verify(granted["id_token"], parse_set(keys.content), ["RS256"])
    told = visitor.get("/userinfo", Authorization=f"Bearer {granted['access_token']}").json()
    posted = visitor.http.post(f"{visitor.prefix}/userinfo", data={"access_token": granted["access_token"]}).json()

    assert [verified.claims[name] for name in ("iss", "aud", "nonce")] == [answer["iss"], "app", "n"]
    assert told == posted == {"sub": verified.claims["sub"], "email": f"{verified.claims['sub']}@app.example"}
    assert "max-age" in keys.headers["cache-control"]


def test_whoever_is_signed_in_and_has_allowed_it_is_not_asked_again(visitor: Visitor) -> None:
    visitor.answer()

    response = visitor.authorize()

    assert response.headers["location"].startswith(f"{REDIRECT}?code=")


def test_public_client_proves_itself_by_its_verifier(visitor: Visitor) -> None:
    """RFC 7636 section 4.6."""
    code = visitor.answer(client_id="phone")["code"]

    wrong = visitor.redeem(code, None, client_id="phone", code_verifier="x" * 43)
    right = visitor.redeem(code, None, client_id="phone")

    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert right.status_code == 200


def test_lost_answer_to_a_refresh_is_given_again(visitor: Visitor) -> None:
    refresh_token = visitor.tokens()["refresh_token"]

    first = visitor.token(grant_type="refresh_token", refresh_token=refresh_token)
    again = visitor.token(grant_type="refresh_token", refresh_token=refresh_token)

    assert first.json()["access_token"] == again.json()["access_token"]


def test_spent_refresh_token_ends_the_grant(visitor: Visitor) -> None:
    """RFC 9700 section 4.14.2."""
    first = visitor.tokens()["refresh_token"]
    second = visitor.token(grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    third = visitor.token(grant_type="refresh_token", refresh_token=second).json()

    reused = visitor.token(grant_type="refresh_token", refresh_token=first)

    assert reused.json()["error"] == "invalid_grant"
    assert visitor.me(f"Bearer {third['access_token']}").status_code == 401


def test_replayed_code_ends_what_it_gave(visitor: Visitor) -> None:
    """RFC 6749 section 4.1.2."""
    code = visitor.answer()["code"]
    granted = visitor.redeem(code).json()

    replayed = visitor.redeem(code)

    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert visitor.me(f"Bearer {granted['access_token']}").status_code == 401


@pytest.mark.every_host
def test_one_code_is_redeemed_once_by_a_crowd(visitor: Visitor) -> None:
    code = visitor.answer()["code"]

    def redeem(_: int) -> int:
        with visitor.someone_else() as other:
            return other.redeem(code).status_code

    with ThreadPoolExecutor(8) as crowd:
        statuses = sorted(crowd.map(redeem, range(8)))

    assert statuses.count(200) <= 1
    assert set(statuses) <= {200, 400}


def test_revoked_token_opens_nothing(visitor: Visitor) -> None:
    """RFC 7009 section 2."""
    token = visitor.tokens()["access_token"]

    response = visitor.http.post(f"{visitor.prefix}/revoke", data={"token": token}, auth=APP)

    assert response.status_code == 200
    assert challenge(visitor, f"Bearer {token}")[0] == 401


def test_token_is_described_to_its_client_while_it_lives(visitor: Visitor) -> None:
    """RFC 7662 section 2.2."""
    granted = visitor.tokens()

    def active(token: str) -> object:
        response = visitor.http.post(f"{visitor.prefix}/introspect", data={"token": token}, auth=APP)
        return response.json()["active"]

    assert active(granted["access_token"]) is True
    assert active(granted["refresh_token"]) is True
    assert active("unknown") is False


@pytest.mark.every_host
def test_person_who_says_no_is_believed(visitor: Visitor) -> None:
    assert visitor.answer(allow=False, prompt="consent")["error"] == "access_denied"


@pytest.mark.every_host
def test_authorization_request_may_be_posted(visitor: Visitor) -> None:
    """RFC 6749 section 3.1."""
    body = urlencode(visitor.asked())
    response = visitor.http.post(f"{visitor.prefix}/authorize", content=body, headers=FORM)

    assert visitor.walk(response).headers["location"].startswith(f"{REDIRECT}?code=")


def test_form_post_is_a_form_to_the_client(visitor: Visitor) -> None:
    page = Page.of(visitor.walk(visitor.authorize(response_mode="form_post")).text)

    assert page.action == REDIRECT
    assert page.form["state"] == "s t%ä&=+"
    assert visitor.redeem(page.form["code"]).status_code == 200


def test_unknown_client_is_told_on_a_page(visitor: Visitor) -> None:
    response = visitor.authorize(client_id="nobody")

    assert response.status_code == 400
    assert response.headers["x-frame-options"] == "DENY"
    assert "location" not in response.headers


def test_foreign_redirect_uri_is_never_gone_to(visitor: Visitor) -> None:
    assert visitor.authorize(redirect_uri="https://evil.example/cb").status_code == 400


def test_silent_request_of_nobody_is_refused_at_the_client(visitor: Visitor) -> None:
    assert visitor.answer(prompt="none")["error"] == "login_required"


def test_wrong_secret_is_asked_for_a_better_one(visitor: Visitor) -> None:
    """RFC 6749 section 5.2."""
    response = visitor.token(("app", "wrong"), grant_type="authorization_code", code="x")

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic realm=")


def test_unknown_grant_type_is_refused(visitor: Visitor) -> None:
    assert visitor.token(grant_type="urn:x").json()["error"] == "unsupported_grant_type"


@pytest.mark.every_host
def test_other_method_is_refused_with_those_there_are(visitor: Visitor) -> None:
    """RFC 9110 section 15.5.6."""
    response = visitor.get("/token")

    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


def test_unknown_path_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/nothing").status_code == 404


def test_other_origins_may_ask_for_tokens(visitor: Visitor) -> None:
    response = visitor.http.options(f"{visitor.prefix}/token", headers={"Origin": "https://spa.example"})

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.content == b""


def test_a5_metadata_is_given_to_who_says_nothing_of_itself(visitor: Visitor) -> None:
    """The Python SDK of MCP sends neither `Accept` nor `User-Agent`, and a version that is newer than this."""
    found = visitor.metadata().request
    host, path = found.headers["host"], found.url.path

    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nMCP-Protocol-Version: 2099-01-01\r\nConnection: close\r\n\r\n"

    assert visitor.raw(head.encode()).startswith(b"HTTP/1.1 200")


def test_metadata_is_at_the_root_of_the_host(visitor: Visitor) -> None:
    """RFC 8414 section 3."""
    metadata = visitor.metadata().json()

    assert metadata["token_endpoint"].endswith(f"{visitor.prefix}/token")
    assert metadata["token_endpoint"].startswith(metadata["issuer"])


@pytest.mark.every_host
def test_head_is_answered_without_a_body(visitor: Visitor) -> None:
    """RFC 9110 section 9.3.2."""
    whole, head = visitor.metadata(), visitor.metadata("HEAD")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.every_host
def test_body_that_is_too_large_is_refused(visitor: Visitor) -> None:
    response = visitor.http.post(f"{visitor.prefix}/token", content=b"a" * 70_000, headers=FORM)

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


@pytest.mark.every_host
def test_body_that_turns_out_too_large_is_refused(visitor: Visitor) -> None:
    pieces = (b"a" * 10_000 for _ in range(7))

    response = visitor.http.post(f"{visitor.prefix}/token", content=pieces, headers=FORM)

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


@pytest.mark.every_host
def test_body_in_pieces_is_read(visitor: Visitor) -> None:
    pieces = [b"grant_type=", b"urn:x"]

    response = visitor.http.post(f"{visitor.prefix}/token", content=iter(pieces), headers=FORM, auth=APP)

    assert response.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"grant_type=%ff", FORM["Content-Type"]),
        (b"grant_type=\xff", FORM["Content-Type"]),
        (b"grant_type=a&grant_type=b", FORM["Content-Type"]),
        (b'{"grant_type": "a"}', "application/json"),
        (b"", FORM["Content-Type"]),
    ],
)
def test_body_that_is_no_form_is_refused(visitor: Visitor, body: bytes, media_type: str) -> None:
    response = visitor.http.post(
        f"{visitor.prefix}/token", content=body, headers={"Content-Type": media_type}, auth=APP
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "framing",
    [b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", b"Content-Length: -5\r\n\r\nabcde"],
    ids=["chunks", "length"],
)
@pytest.mark.every_host
def test_body_whose_end_is_not_told_is_refused(visitor: Visitor, framing: bytes) -> None:
    """RFC 9112 section 6.3."""
    head = f"POST {visitor.prefix}/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    head += f"Content-Type: {FORM['Content-Type']}\r\n"

    response = visitor.raw(head.encode() + framing)

    assert response.split(b" ", 2)[1] == b"400"


@pytest.mark.every_host
def test_client_that_goes_away_in_mid_body_has_asked_for_nothing(visitor: Visitor) -> None:
    code = visitor.answer(client_id="phone")["code"]
    form = {"grant_type": "authorization_code", "client_id": "phone", "code": code, "code_verifier": VERIFIER}
    body = urlencode({**form, "redirect_uri": REDIRECT}).encode()
    head = f"POST {visitor.prefix}/token HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body) + 10}\r\n"
    head += f"Content-Type: {FORM['Content-Type']}\r\n\r\n"

    with visitor.connection() as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_RDWR)

    assert visitor.redeem(code, None, client_id="phone").status_code == 200


def test_answer_in_another_browser_leads_nowhere(visitor: Visitor) -> None:
    shown = visitor.page(visitor.authorize())

    with visitor.someone_else() as other:
        response = other.page(other.http.get(str(shown.url)))
        while response.status_code == 200:
            response = other.page(other.submit(response))

    assert response.status_code == 400 or response.status_code == 403


def test_forged_form_is_refused(visitor: Visitor) -> None:
    shown = visitor.page(visitor.authorize())

    assert visitor.submit(shown, csrf="forged").status_code in {400, 403}


def test_pages_and_redirects_are_kept_by_no_cache_and_in_no_frame(visitor: Visitor) -> None:
    response = visitor.authorize()
    shown = visitor.page(response)

    assert response.headers["cache-control"] == "no-store"
    assert shown.headers["x-frame-options"] == "DENY"


@pytest.mark.every_host
def test_cookie_of_the_browser_is_for_this_host_alone(visitor: Visitor) -> None:
    cookies = [value for value in visitor.authorize().headers.get_list("set-cookie") if "oauthcore-browser" in value]

    (cookie,) = cookies
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    assert cookie.startswith("__Host-") == ("Secure" in cookie) == visitor.base.startswith("https")


# As bytes, since that is how a browser sends them: what is white space in Python and not on the wire.
PLANTED = [b"\xa0", b"\x85"]


def binding(response: httpx.Response) -> bytes | None:
    """Return the cookie that binds the browser, as it is sent back, if it is one that this response sets."""
    cookies = (cookie.partition(";")[0] for cookie in response.headers.get_list("set-cookie"))
    return next((cookie.encode() for cookie in cookies if "oauthcore-browser" in cookie), None)


def asked_with(visitor: Visitor, cookie: bytes, **changes: str) -> httpx.Response:
    target = f"{visitor.prefix}/authorize?{urlencode(visitor.asked(**changes))}"
    return visitor.http.get(target, headers={b"Cookie": cookie})


@pytest.mark.parametrize("white", PLANTED, ids=repr)
@pytest.mark.every_host
def test_cookie_that_another_host_of_the_domain_plants_is_not_taken_for_the_browsers_own(
    visitor: Visitor, white: bytes
) -> None:
    """RFC 6265bis section 4.1.3.2: browsers let every host of the domain set what does not begin with `__Host-`."""
    own = binding(visitor.authorize())
    assert own is not None
    with visitor.someone_else() as stranger:
        taken, planted = asked_with(stranger, own), asked_with(stranger, white + own)

    assert binding(taken) is None
    assert binding(planted) is not None


@pytest.mark.parametrize("white", PLANTED, ids=repr)
@pytest.mark.every_host
def test_session_that_another_host_of_the_domain_plants_signs_nobody_in(visitor: Visitor, white: bytes) -> None:
    visitor.answer()
    sessions = [f"{cookie.name}={cookie.value}".encode() for cookie in visitor.http.cookies.jar]
    own = [session for session in sessions if b"oauthcore-session" in session]
    if isinstance(visitor, ExampleVisitor):  # whose sessions are the framework's
        return
    with visitor.someone_else() as stranger:
        taken, planted = (asked_with(stranger, cookie, prompt="none") for cookie in (own[0], white + own[0]))
        both = asked_with(stranger, own[0] + b"; " + own[0], prompt="none")

    assert "code" in answered(taken.headers["location"])
    assert answered(planted.headers["location"])["error"] == "login_required"
    assert answered(both.headers["location"])["error"] == "login_required"


@pytest.mark.every_host
def test_what_proxies_claim_changes_nothing(visitor: Visitor) -> None:
    path = f"/authorize?{urlencode(visitor.asked(prompt='none'))}"

    honest = visitor.get(path).headers["location"]
    claimed = visitor.get(
        path, X_Forwarded_Host="evil.example", X_Forwarded_Proto="https", Forwarded="host=evil.example"
    )

    assert claimed.headers["location"] == honest


@pytest.mark.every_host
def test_request_without_a_token_is_asked_for_one_and_told_of_no_error(visitor: Visitor) -> None:
    """RFC 6750 section 3.1."""
    status, header = challenge(visitor, None)

    assert status == 401
    assert header.startswith("Bearer realm=")
    assert 'scope="profile"' in header
    assert "error" not in header


def test_credentials_of_another_scheme_are_none(visitor: Visitor) -> None:
    assert "error" not in challenge(visitor, "Basic YTpi")[1]


@pytest.mark.parametrize("token", ["unknown", "not~a*token", "a\xe9b"])
@pytest.mark.every_host
def test_bad_token_is_an_invalid_token(visitor: Visitor, token: str) -> None:
    status, header = challenge(visitor, f"Bearer {token}")

    assert status == 401
    assert 'error="invalid_token"' in header


@pytest.mark.parametrize("credentials", ["Bearer", "Bearer a b"])
@pytest.mark.every_host
def test_credentials_that_are_no_token_are_an_invalid_request(visitor: Visitor, credentials: str) -> None:
    status, header = challenge(visitor, credentials)

    assert status == 400
    assert 'error="invalid_request"' in header


@pytest.mark.every_host
def test_token_that_may_do_less_is_told_what_it_takes(visitor: Visitor) -> None:
    token = visitor.tokens(scope="email")["access_token"]

    status, header = challenge(visitor, f"Bearer {token}")

    assert status == 403
    assert 'error="insufficient_scope"' in header
    assert 'scope="profile"' in header


def test_scheme_may_be_spelled_in_any_case(visitor: Visitor) -> None:
    """RFC 9110 section 11.1."""
    assert visitor.me(f"bEARER {visitor.tokens()['access_token']}").status_code == 200


def test_token_in_the_query_is_not_looked_at(visitor: Visitor) -> None:
    """RFC 9700 section 4.3.2."""
    token = visitor.tokens()["access_token"]

    assert visitor.me(None, f"?access_token={token}").status_code == 401
