"""The token endpoint."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Request
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
        ((), {}, "invalid_client", "shows no client"),
        ((), {"client_id": "confidential"}, "invalid_client", "none is not the method"),
        ((), {"client_id": "nobody"}, "invalid_client", "unknown"),
        ((), {"client_secret": "x"}, "invalid_client", "without client_id"),
        ((), {"client_id": "confidential", "client_secret": "confidential-secret"}, "invalid_client", "not the method"),
        ((), {"client_id": "public", "client_secret": "x"}, "invalid_client", "not the method"),
        ((basic("public", "x"),), {}, "invalid_client", "not the method"),
        (
            (RIGHT,),
            {"client_id": "confidential", "client_secret": "confidential-secret"},
            "invalid_request",
            "two methods",
        ),
        ((RIGHT,), {"client_id": "other"}, "invalid_request", "not the one"),
        ((RIGHT, RIGHT), {}, "invalid_request", "repeated"),
        ((("Authorization", "Bearer abc"),), {}, "invalid_client", "scheme"),
        ((("Authorization", "Basic"),), {}, "invalid_client", "divided by a colon"),
        ((("Authorization", "Basic !!!"),), {}, "invalid_client", "base64"),
        ((("Authorization", "Basic /////w=="),), {}, "invalid_client", "base64"),
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


def test_a_client_registered_for_post_authenticates_in_the_form() -> None:
    posting = attrs.evolve(CONFIDENTIAL, token_endpoint_auth_method="client_secret_post")
    site = make_site(clients=(posting,))
    body = form(grant_type="client_credentials", client_id="confidential", client_secret="confidential-secret")

    assert site.post("/token", body).status == 200
    assert refused(
        site.post("/token", form(grant_type="client_credentials"), RIGHT), "invalid_client", "not the method"
    )


def test_credentials_in_the_query_are_not_read(site: Site) -> None:
    """RFC 6749 section 2.3.1."""
    target = "/token?grant_type=client_credentials&client_id=confidential&client_secret=confidential-secret"

    assert refused(site.post(target, b""), "invalid_request", "grant_type is missing")


def test_two_secrets_are_valid_at_once_while_one_is_rotated(site: Site) -> None:
    fresh = site.drive(site.server.rotate_secret("confidential", overlap=60), site.world)
    body = form(grant_type="client_credentials")
    new = basic("confidential", fresh.reveal())

    assert site.post("/token", body, RIGHT).status == 200
    assert site.post("/token", body, new).status == 200
    site.clock.advance(60)
    assert refused(site.post("/token", body, RIGHT), "invalid_client", "secret is wrong")
    assert site.post("/token", body, new).status == 200


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(site: Site) -> None:
    site.drive(site.server.rotate_secret("confidential", overlap=0), site.world)

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
