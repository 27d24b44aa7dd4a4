"""What a decision signs is signed after its checks and before its commit: a key that is gone consumes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest

from oauthcore import Request, Response, Secret, World
from oauthcore.flow.effects import Flow, Sign
from oauthcore.flow.outcome import Change
from oauthcore.flow.storage import Storage
from oauthcore.jose import crypto
from oauthcore.records.token import AccessToken
from oauthcore.resource.stored_token import key_of_signed
from oauthcore.testing import Run, interleave
from tests.core.oidc.provider import CALLBACK, RP, provider
from tests.core.scene import SetInMemory
from tests.core.signing_keys import key_for
from tests.core.site import FORM, VERIFIER, Counted, Site, basic, form, members, params

# An access token that is signed, an ID token beside it, and a refresh token.
SIGNED = attrs.evolve(RP, access_token_format="jwt", grant_types=(*RP.grant_types, "client_credentials"))


class Signer:
    """Sign, and count; or fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.count = 0
        self.fails = fails

    def __call__(self, asked: Sign) -> tuple[str, ...]:
        """Sign the tokens that are asked for."""
        self.count += len(asked.jwts)
        if self.fails:
            raise OSError("the key is gone")
        return crypto.sign(asked.jwts)


def signing_site(signer: Signer) -> Site:
    """Make a provider that signs everything."""
    site = provider(clients=(SIGNED,), secrets={"rp": "rp-secret"})
    site.world = attrs.evolve(site.world, sign=signer)
    return site


def authorized(site: Site, response_type: str = "code") -> dict[str, str]:
    """Return what an authorization request of alice's is answered with."""
    request = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid email", "nonce": "n"}
    return params(site.approve(site.authorize(site.alice, response_type=response_type, **request)))


def asked(**values: str) -> Request:
    """Return a token request of the client."""
    return Request("POST", "/token", (FORM, basic("rp", "rp-secret")), form(**values))


def redemption(code: str) -> Request:
    """Return the redemption of a code."""
    return asked(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)


def refresh(value: str) -> Request:
    """Return a refresh."""
    return asked(grant_type="refresh_token", refresh_token=value)


def with_a_code(site: Site) -> Request:
    """Return the redemption of a code that is good."""
    return redemption(authorized(site)["code"])


def with_a_refresh_token(site: Site) -> Request:
    """Return a refresh by the newest refresh token."""
    return refresh(members(site.handle(with_a_code(site)))["refresh_token"])


@pytest.mark.parametrize("prepare", [with_a_code, with_a_refresh_token])
def test_what_a_request_spends_is_good_still_where_its_tokens_could_not_be_signed(
    prepare: Callable[[Site], Request],
) -> None:
    signer = Signer()
    site = signing_site(signer)
    request = prepare(site)
    counted = Counted(site)

    signer.fails = True
    failed = site.handle(request)
    commits = counted.commits
    signer.fails = False

    assert (failed.status, commits) == (503, 0)
    assert site.handle(request).status == 200


def test_a_request_that_is_refused_signs_nothing() -> None:
    """A signature costs more than everything else: nobody who is refused can have it spent."""
    signer = Signer()
    site = signing_site(signer)
    code = authorized(site)["code"]
    refresh_token = members(site.handle(redemption(code)))["refresh_token"]
    signer.count = 0

    statuses = [
        site.handle(request).status
        for request in (redemption("unknown"), redemption(code), refresh("unknown"), refresh(refresh_token))
    ]

    assert (statuses, signer.count) == ([400, 400, 400, 400], 0)


def test_a_signed_token_costs_a_token_request_no_find_and_no_commit_more() -> None:
    signer = Signer()
    site = signing_site(signer)
    request = redemption(authorized(site)["code"])
    signer.count = 0
    counted = Counted(site)

    response = site.handle(request)

    assert (response.status, signer.count) == (200, 2)
    assert (counted.finds, counted.commits) == (3, 1)


class Contended(Counted):
    """Refuse the first commit, as where somebody else was first."""

    def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Refuse the first one."""
        if not self.commits:
            self.commits += 1
            return False
        return super().commit(changes)


def test_an_attempt_after_a_conflict_answers_with_the_token_that_it_stored() -> None:
    """It makes another token, and so signs again: what was signed for the first attempt is in no record."""
    signer = Signer()
    site = signing_site(signer)
    contended = Contended(site)

    answer = members(site.handle(asked(grant_type="client_credentials", scope="email")))

    context, keys = site.server.context(), (key_for("RS256").public,)
    key = key_of_signed(Secret(answer["access_token"]), keys, context.digest, crypto.verify)
    assert key is not None and site.world.storage.find(AccessToken, key) is not None
    assert (signer.count, contended.commits) == (2, 2)


def test_two_redemptions_whose_tokens_are_signed_succeed_once_in_every_order() -> None:
    """Between the checks and the commit there is a step more, in which the other may be first."""

    def begin(drive: Callable[[Flow[Any]], Any]) -> tuple[Site, Request]:
        scene = SetInMemory()
        site = provider(scene.drive, clients=(SIGNED,), secrets={"rp": "rp-secret"})
        request = redemption(authorized(site)["code"])
        scene.move(drive)
        return site, request

    def sent(prepared: tuple[Site, Request]) -> Flow[Response]:
        site, request = prepared
        return site.server.handle(request)

    stories: list[str] = []

    def check(run: Run[Response]) -> None:
        """One is answered, the other is a replay, which ends what the first was given."""
        assert sorted(response.status for response in run.results) == [200, 400]
        (answer,) = (members(response) for response in run.results if response.status == 200)
        site, _ = run.prepared
        described = site.handle(Request("POST", "/introspect", asked().headers, form(token=answer["refresh_token"])))
        assert members(described) == {"active": False}
        stories.extend(run.story)

    def world(storage: Storage) -> World:
        """Sign in place, and know alice."""
        return World(storage, claims=lambda asked: {})

    explored = interleave(sent, sent, prepare=begin, check=check, world=world)

    assert explored.schedules > 1
    assert any("sign" in step for step in stories), stories


@pytest.mark.parametrize("response_type", ["id_token", "id_token token", "code id_token token"])
def test_an_id_token_that_the_client_has_no_key_to_read_is_refused_at_the_client(response_type: str) -> None:
    """RFC 6749 section 4.2.2.1: also where an access token beside it has to be signed first."""
    small = {"kty": "RSA", "n": "t" * 171, "e": "AQAB", "use": "enc"}
    client = attrs.evolve(SIGNED, id_token_encrypted_response_alg="RSA-OAEP", jwks={"keys": [small]})
    signer = Signer()
    site = provider(clients=(client,), secrets={"rp": "rp-secret"})
    site.world = attrs.evolve(site.world, sign=signer)

    answer = authorized(site, response_type)

    assert (answer["error"], signer.count) == ("invalid_request", 0)
