"""The token endpoint."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Request
from oauthcore.records.client import AuthenticationMethod
from tests.core.site import CONFIDENTIAL, SECRETS, Site, basic, form, make_site, members, refused

RIGHT = basic("confidential", SECRETS["confidential"])


def test_a_missing_grant_type_is_an_invalid_request(site: Site) -> None:
    assert refused(site.token(), "invalid_request", "grant_type is missing")


def test_an_unknown_grant_type_is_not_supported(site: Site) -> None:
    assert refused(site.token(grant_type="magic"), "unsupported_grant_type", "not offered")


def test_a_grant_type_the_client_is_not_registered_for_is_unauthorized(site: Site) -> None:
    assert refused(site.token("other", grant_type="client_credentials"), "unauthorized_client", "not registered")


def test_a_wrong_secret_is_a_401_with_a_challenge(site: Site) -> None:
    """RFC 6749 section 5.2, RFC 9110 section 15.5.2."""
    response = site.post("/token", form(grant_type="client_credentials"), basic("confidential", "wrong"))

    assert refused(response, "invalid_client", "secret is wrong")
    assert response.status == 401
    assert response.header("www-authenticate") == 'Basic realm="https://as.example", charset="UTF-8"'


@pytest.mark.parametrize(
    ("headers", "body", "code", "reason"),
    [
        ((), {}, "invalid_client", "neither a client_id nor"),
        ((), {"client_id": "confidential"}, "invalid_client", "none is not the method"),
        ((), {"client_id": "nobody"}, "invalid_client", "unknown"),
        ((), {"client_secret": "x"}, "invalid_client", "without client_id"),
        ((), {"client_id": "public", "client_secret": "x"}, "invalid_client", "not the method"),
        ((basic("public", "x"),), {}, "invalid_client", "not the method"),
        (
            (RIGHT,),
            {"client_id": "confidential", "client_secret": "confidential-secret"},
            "invalid_request",
            "two methods",
        ),
        ((RIGHT,), {"client_id": "other"}, "invalid_request", "differs from the client"),
        ((RIGHT, RIGHT), {}, "invalid_request", "repeated"),
        ((("Authorization", "Bearer abc"),), {}, "invalid_client", "scheme"),
        ((("Authorization", "Basic"),), {}, "invalid_client", "separated by a colon"),
        ((("Authorization", "Basic !!!"),), {}, "invalid_client", "Base64"),
        ((("Authorization", "Basic /////w=="),), {}, "invalid_client", "Base64"),
    ],
)
def test_a_client_that_can_not_be_authenticated_is_refused(
    site: Site, headers: tuple[tuple[str, str], ...], body: dict[str, str], code: str, reason: str
) -> None:
    response = site.post("/token", form(grant_type="client_credentials", **body), *headers)

    assert refused(response, code, reason)


def test_a_client_id_in_the_form_may_repeat_the_one_in_the_header(site: Site) -> None:
    response = site.post("/token", form(grant_type="client_credentials", client_id="confidential"), RIGHT)

    assert response.status == 200


POSTED = form(grant_type="client_credentials", client_id="confidential", client_secret="confidential-secret")
BY_HEADER, BY_FORM = (form(grant_type="client_credentials"), RIGHT), (POSTED,)


def test_a_secret_may_come_either_way_where_nobody_has_named_a_method(site: Site) -> None:
    """RFC 6749 section 2.3.1."""
    assert [site.post("/token", *sent).status for sent in (BY_HEADER, BY_FORM)] == [200, 200]


@pytest.mark.parametrize(
    ("method", "right", "wrong"),
    [("client_secret_basic", BY_HEADER, BY_FORM), ("client_secret_post", BY_FORM, BY_HEADER)],
)
def test_a_client_keeps_to_the_method_that_was_named_and_is_told_which_that_is(
    method: AuthenticationMethod, right: tuple[Any, ...], wrong: tuple[Any, ...]
) -> None:
    site = make_site(clients=(attrs.evolve(CONFIDENTIAL, token_endpoint_auth_method=method),))

    response = site.post("/token", *wrong)

    assert site.post("/token", *right).status == 200
    assert refused(response, "invalid_client", "not the method")
    assert members(response)["error_description"] == f"this client authenticates by {method}."


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_a_secret_may_come_either_way_at_every_endpoint_that_asks_for_one(site: Site, path: str) -> None:
    posted = form(token="x", client_id="confidential", client_secret="confidential-secret")

    statuses = [site.post(path, form(token="x"), RIGHT).status, site.post(path, posted).status]

    assert statuses == [200, 200]


def test_two_secrets_in_one_request_are_refused_also_where_either_would_do(site: Site) -> None:
    """RFC 6749 section 2.3."""
    assert refused(site.post("/token", POSTED, RIGHT), "invalid_request", "two methods")


@pytest.mark.parametrize("secret", ["wrong", None])
def test_who_does_not_know_the_secret_learns_neither_method_nor_whether_there_is_such_a_client(
    secret: str | None,
) -> None:
    site = make_site(clients=(attrs.evolve(CONFIDENTIAL, token_endpoint_auth_method="client_secret_basic"),))

    answers = [
        site.post("/token", form(grant_type="client_credentials", client_id=client_id, client_secret=secret))
        for client_id in ("confidential", "nobody")
    ]

    assert answers[0].status == 401
    assert answers[0].body == answers[1].body
    assert b"client_secret_basic" not in answers[0].body


def test_credentials_in_the_query_are_not_read(site: Site) -> None:
    """RFC 6749 section 2.3.1."""
    target = "/token?grant_type=client_credentials&client_id=confidential&client_secret=confidential-secret"

    assert refused(site.post(target, b""), "invalid_request", "grant_type is missing")


def test_two_secrets_are_valid_at_once_while_one_is_rotated(site: Site) -> None:
    fresh = site.drive(site.server.clients.rotate_secret("confidential", overlap=60), site.world)
    body = form(grant_type="client_credentials")
    new = basic("confidential", fresh.reveal())

    assert site.post("/token", body, RIGHT).status == 200
    assert site.post("/token", body, new).status == 200
    site.clock.advance(60)
    assert refused(site.post("/token", body, RIGHT), "invalid_client", "secret is wrong")
    assert site.post("/token", body, new).status == 200


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(site: Site) -> None:
    site.drive(site.server.clients.rotate_secret("confidential", overlap=0), site.world)

    assert site.post("/token", form(grant_type="client_credentials"), RIGHT).status == 401


def test_a_503_says_when_to_try_again(site: Site) -> None:
    from oauthcore import World
    from oauthcore.testing import Outage

    site.world = World(Outage(site.world.storage, at=0))

    response = site.token(grant_type="client_credentials")

    assert response.status == 503
    assert members(response)["error"] == "temporarily_unavailable"
    assert response.header("retry-after") == "1"


def test_a_bug_is_a_500_whose_cause_is_for_the_log_alone() -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError("a detail")

    site = make_site(grants={"client_credentials": broken})

    response = site.token(grant_type="client_credentials")

    assert (response.status, members(response)["error"]) == (500, "server_error")
    assert response.refusal is not None and isinstance(response.refusal.cause, ZeroDivisionError)
    assert b"detail" not in response.body


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_anything_but_a_form_is_an_invalid_request(site: Site, content_type: str) -> None:
    """RFC 6749 section 4.1.3."""
    request = Request("POST", "/token", (("Content-Type", content_type), RIGHT), form(grant_type="client_credentials"))

    assert refused(site.handle(request), "invalid_request", "content type")


def test_a_form_may_name_its_charset(site: Site) -> None:
    content_type = ("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")
    request = Request("POST", "/token", (content_type, RIGHT), form(grant_type="client_credentials"))

    assert site.handle(request).status == 200
