"""No secret in a repr, an error text, a refusal's reason, an event, or the database."""

from __future__ import annotations

import pytest

from oauthcore import MemoryStorage, Request, Response, Secret
from oauthcore.clients.presented import Presented
from oauthcore.flow.effects import Authenticate
from oauthcore.grants.authorization_code import Redemption
from oauthcore.grants.issuance import IssuedAccess, issue_access
from oauthcore.grants.refresh_token import Refresh
from oauthcore.grants.terms import usual_terms
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.storage.codec import dump
from oauthcore.wire.parameters import parse_form
from tests.core.site import CONFIDENTIAL, FORM, SECRETS, VERIFIER, Site, handle_of, location, make_site, members, params

HIDDEN = Secret("hunter2")
CONTEXT = make_site().server.context()
TERMS = usual_terms(CONFIDENTIAL, CONFIDENTIAL.scope, None, CONTEXT)


@pytest.mark.parametrize(
    "value",
    [
        HIDDEN,
        Request("POST", "/token?hunter2", (("Authorization", "hunter2"),), b"hunter2"),
        Response(200, (("Location", "hunter2"),), b"hunter2"),
        Presented("client_secret_basic", ("c",), (HIDDEN,)),
        Authenticate("alice", HIDDEN),
        Redemption(HIDDEN, None, "hunter2"),
        Refresh(HIDDEN, None),
        parse_form("client_secret=hunter2"),
        issue_access(TERMS, None, HIDDEN, CONTEXT),
        make_site(token_key=b"hunter2" + b"x" * 25).server,
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_shows_a_secret(value: object) -> None:
    assert "hunter2" not in repr(value)


def test_what_is_hidden_is_there_all_the_same() -> None:
    assert isinstance(issue_access(TERMS, None, HIDDEN, CONTEXT), IssuedAccess)
    assert AuthorizationRequest(client_id="c", state="s").state == "s"


def walk(site: Site) -> list[str]:
    """Go through everything a server does; give every secret that was handed out."""
    first = site.authorize()
    handle = handle_of(first)
    finished = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
    code = params(site.get(location(finished)))["code"]
    tokens = members(site.redeem(code))
    refreshed = members(site.refresh(tokens["refresh_token"]))
    fresh = site.drive(site.server.clients.rotate_secret("other", overlap=60), site.world)
    assert site.cookie is not None
    return [
        handle,
        params(finished)["proof"],
        site.cookie.partition("=")[2],
        code,
        tokens["access_token"],
        tokens["refresh_token"],
        refreshed["access_token"],
        refreshed["refresh_token"],
        fresh.reveal(),
        *SECRETS.values(),
    ]


def test_a_leaked_database_holds_nothing_that_can_be_presented() -> None:
    site = make_site()

    handed_out = walk(site)

    assert isinstance(site.world.storage, MemoryStorage)
    database = "\n".join(map(dump, site.world.storage._records.values()))
    assert len(database) > 2_000
    assert [secret for secret in handed_out if secret in database] == []
    assert VERIFIER not in database


def test_the_audit_log_hears_no_secret() -> None:
    site = make_site()

    handed_out = walk(site)

    assert len(site.events) >= 4
    assert [secret for secret in handed_out if secret in repr(site.events)] == []


def test_no_refusal_repeats_what_was_sent() -> None:
    site = make_site()
    names = ("code", "refresh_token", "token", "client_secret", "code_verifier", "password", "username")
    body = "&".join(f"{name}=hunter2-{name}" for name in names)

    for path in ("/token", "/introspect", "/revoke"):
        for grant in ("authorization_code", "refresh_token", "password"):
            request = Request("POST", path, (FORM,), f"{body}&client_id=public&grant_type={grant}".encode())
            response = site.handle(request)
            assert response.refusal is not None
            assert "hunter2" not in response.refusal.reason + response.body.decode()
