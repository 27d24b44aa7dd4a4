"""The server's own keys: made when lacking, turned by age, the same for all workers, published and sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs
import pytest

from oauthcore import Client, MemoryStorage, Request, Response, World, run
from oauthcore.errors import ConfigurationError, OAuthError
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Decision, Delete, Outcome
from oauthcore.flow.transact import transact
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk, parse_set
from oauthcore.jose.jwt import Jwt
from oauthcore.records.key_ring import KeyRing
from oauthcore.records.lifecycle import KeyState
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.signing.keys import GivenKeys, Keys, StoredKeys, signing
from oauthcore.storage.codec import dump
from oauthcore.testing import Run, Scene, explore
from tests.core.signing_keys import RSA_2048, generate, key_for
from tests.core.site import ISSUER, Drive, Site, make_site

POLICY = KeyPolicy(
    algorithms=("ES256",),
    active_lifetime=10_000,
    published_lifetime=1_000,
    signed_lifetime=500,
    hint_lifetime=15_000,
    jwks_lifetime=300,
    cache_lifetime=60,
)
SEALING_KEY = b"s" * 32
NOW = 1_800_000_000


def worker(policy: KeyPolicy = POLICY) -> StoredKeys:
    """Be one worker's view of the keys."""
    return StoredKeys(ISSUER, policy, SEALING_KEY)


def a_world(*rings: KeyRing) -> World:
    """Return a world with a ring in its storage, or none."""
    return World(MemoryStorage(rings), generate_key=generate)


def stored(world: World) -> KeyRing:
    """Return the ring that is stored."""
    ring = world.storage.find(KeyRing, ISSUER)
    assert ring is not None
    return ring


def test_the_first_worker_makes_a_key_and_the_others_take_it(drive: Drive) -> None:
    world = a_world()

    keys = [drive(worker().current(NOW), world) for _ in range(3)]

    assert keys[0] == keys[1] == keys[2]
    assert [key.kid for key in stored(world).keys] == [keys[0].signing_key("ES256").kid]
    assert stored(world).keys[0].state is KeyState.ACTIVE


def test_a_worker_looks_again_only_when_what_it_knows_is_old(drive: Drive) -> None:
    world, keys = a_world(), worker()
    first = drive(keys.current(NOW), world)
    assert world.storage.commit([Delete(stored(world))])

    assert drive(keys.current(NOW + 59), world) is first
    assert drive(keys.current(NOW + 60), world) != first


def test_a_clock_that_was_set_back_makes_a_worker_look_again(drive: Drive) -> None:
    world, keys = a_world(), worker()
    first = drive(keys.current(NOW), world)

    assert drive(keys.current(NOW - 3_600), world) == first


def test_keys_turn_by_age_and_every_worker_knows_a_key_before_it_signs(drive: Drive) -> None:
    world, workers = a_world(), [worker() for _ in range(3)]
    seen: dict[int, set[str | None]] = {number: set() for number in range(3)}
    signed: list[str | None] = []

    for second in range(0, 40_000, 40):
        number = (second // 40) % 3
        current: Keys = drive(workers[number].current(NOW + second), world)
        seen[number] |= {key.kid for key in current.published}
        signer = current.signing_key("ES256").kid
        if signer not in signed:
            signed.append(signer)
            late = [other for other in range(3) if signer not in seen[other]]
            assert not late or len(signed) == 1

    assert len(signed) == 4
    assert len(stored(world).keys) <= 4
    known = drive(workers[0].current(NOW + 39_960), world)
    assert signed[-1] in {key.kid for key in known.published}
    assert [key.kid for key in known.remembered] == [signed[-2]]


def test_a_key_that_is_remembered_is_not_published(drive: Drive) -> None:
    world, keys = a_world(), worker()
    first = drive(keys.current(NOW), world).signing_key("ES256").kid
    drive(keys.rotate("ES256", NOW, at_once=True), world)

    retired = drive(keys.current(NOW + 559), world)
    remembered = drive(keys.current(NOW + 620), world)

    assert first in {key.kid for key in retired.published}
    assert first not in {key.kid for key in parse_set(remembered.jwks)}
    assert [key.kid for key in remembered.remembered] == [first]
    assert not any(key.is_private for key in remembered.remembered)


@pytest.mark.parametrize("former", [key_for("ES256", 1), key_for("ES256", 1).public])
def test_keys_that_are_handed_in_for_hints_are_neither_published_nor_signed_with(former: Jwk) -> None:
    keys: Keys = run(GivenKeys([key_for("ES256")], hint_keys=[former]).current(NOW), a_world())

    assert [key.kid for key in keys.published] == [key_for("ES256").kid]
    assert keys.remembered == (former.public,)
    assert keys.signing == {"ES256": key_for("ES256")}


@pytest.mark.parametrize("former", [key_for("ES256"), attrs.evolve(key_for("ES256", 1), kid=None)])
def test_a_key_for_hints_that_no_hint_could_name_is_refused(former: Jwk) -> None:
    with pytest.raises(ConfigurationError, match="hint_keys"):
        GivenKeys([key_for("ES256")], hint_keys=[former])


def test_what_is_stored_has_no_private_key_in_it(drive: Drive) -> None:
    world = a_world()

    private = drive(worker().current(NOW), world).signing_key("ES256").members["d"]

    text = dump(stored(world))
    assert str(private) not in text and '"d"' not in text
    assert stored(world).keys[0].private is not None
    assert str(stored(world).keys[0].private) not in repr(stored(world))


def test_without_the_token_key_the_keys_are_of_no_use_and_it_is_said_what_to_do(drive: Drive) -> None:
    world = a_world()
    drive(worker().current(NOW), world)
    other = StoredKeys(ISSUER, POLICY, b"x" * 32)

    with pytest.raises(ConfigurationError, match=r"token_key.*restore it, or rotate ES256 at once"):
        drive(other.current(NOW), world)

    drive(other.rotate("ES256", NOW, at_once=True), world)
    assert drive(other.current(NOW), world).signing_key("ES256") is not None
    assert [key.state for key in stored(world).keys] == [KeyState.RETIRED, KeyState.ACTIVE]


def test_two_issuers_over_one_storage_have_keys_of_their_own(drive: Drive) -> None:
    world = a_world()
    issuers = ("https://one.example", "https://two.example")

    keys = [drive(StoredKeys(issuer, POLICY, issuer.encode() + bytes(13)).current(NOW), world) for issuer in issuers]

    assert keys[0].published != keys[1].published
    assert all(world.storage.find(KeyRing, issuer) is not None for issuer in issuers)


def test_a_rotation_publishes_a_successor_that_signs_later(drive: Drive) -> None:
    world, keys = a_world(), worker()
    first = drive(keys.current(NOW), world).signing_key("ES256")

    ring = drive(keys.rotate("ES256", NOW + 10), world)

    successor = ring.keys[1].kid
    current = drive(keys.current(NOW + 10), world)
    assert (current.signing_key("ES256"), len(current.published)) == (first, 2)
    assert drive(keys.current(NOW + 1_010), world).signing_key("ES256").kid == successor


def test_the_active_keys_are_published_first(drive: Drive) -> None:
    """Some clients take the first key that fits."""
    world, keys = a_world(), worker()
    drive(keys.current(NOW), world)
    drive(keys.rotate("ES256", NOW, at_once=True), world)
    drive(keys.rotate("ES256", NOW), world)

    current = drive(keys.current(NOW), world)

    kids = {key.state: key.kid for key in stored(world).keys}
    expected = [kids[state] for state in (KeyState.ACTIVE, KeyState.PUBLISHED, KeyState.RETIRED)]
    assert [key.kid for key in current.published] == expected


def test_a_key_that_was_made_elsewhere_is_added(drive: Drive) -> None:
    world = a_world()
    keys = worker(attrs.evolve(POLICY, algorithms=("RS256",)))

    drive(keys.add(Jwk.of(RSA_2048).named("RS256"), NOW), world)

    assert drive(keys.current(NOW), world).signing_key("RS256") == key_for("RS256")
    with pytest.raises(ConfigurationError, match="use another kid"):
        drive(keys.add(key_for("RS256"), NOW), world)


def test_an_algorithm_without_keys_says_which_setting_to_change(drive: Drive) -> None:
    keys = worker()
    current = drive(keys.current(NOW), a_world())

    with pytest.raises(ConfigurationError, match=r"keys\.algorithms = 'PS256'"):
        current.signing_key("PS256")
    with pytest.raises(ConfigurationError, match="add it to the algorithms"):
        drive(keys.rotate("PS256", NOW), a_world())


def test_given_keys_sign_by_the_first_of_each_algorithm(drive: Drive) -> None:
    given = GivenKeys([key_for("ES256", 1), key_for("RS256"), key_for("ES256", 2)])

    current = drive(given.current(NOW), a_world())

    assert given.algorithms == ("ES256", "RS256")
    assert current.signing_key("ES256") == key_for("ES256", 1)
    assert parse_set(current.jwks) == tuple(
        key.public for key in (key_for("ES256", 1), key_for("RS256"), key_for("ES256", 2))
    )


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [key_for("ES256"), key_for("ES256")],
        [key_for("ES256").public],
        [key_for("EdDSA"), key_for("EdDSA").named("Ed25519")],
    ],
)
def test_given_keys_that_can_not_be_are_refused(keys: Sequence[Jwk]) -> None:
    with pytest.raises(ConfigurationError):
        GivenKeys(keys)


def with_keys(drive: Drive, keys: GivenKeys | KeyPolicy) -> Site:
    """Return a site that has keys."""
    site = make_site(drive, keys=keys)
    site.world = attrs.evolve(site.world, generate_key=generate)
    return site


def test_the_published_keys_are_public_named_and_may_be_kept_for_a_while(drive: Drive) -> None:
    site = with_keys(drive, KeyPolicy(algorithms=("RS256", "ES256"), jwks_lifetime=600))

    response = site.handle(Request("GET", "/jwks"))

    assert response.status == 200
    assert response.header("content-type") == "application/jwk-set+json"
    assert response.header("cache-control") == "public, max-age=600"
    assert response.header("access-control-allow-origin") == "*"
    keys = json.loads(response.body)["keys"]
    assert [(key["alg"], key["use"], key["kty"]) for key in keys] == [("RS256", "sig", "RSA"), ("ES256", "sig", "EC")]
    assert all(key["kid"] for key in keys)
    assert not any(key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k", "oth", "key_ops"} for key in keys)


def test_a_server_without_keys_publishes_none(site: Site) -> None:
    assert site.handle(Request("GET", "/jwks")).status == 404


def test_the_server_lists_rotates_and_imports_keys(drive: Drive) -> None:
    site = with_keys(drive, KeyPolicy(algorithms=("ES256",)))

    first = drive(site.server.keys.ring(), site.world)
    drive(site.server.keys.rotate("ES256"), site.world)
    drive(site.server.keys.add(key_for("ES256", 7).text, at_once=True), site.world)

    ring = drive(site.server.keys.ring(), site.world)
    assert [(key.kid, key.state) for key in ring.keys] == [
        (first.keys[0].kid, KeyState.RETIRED),
        (key_for("ES256", 7).kid, KeyState.ACTIVE),
    ]


def test_keys_that_were_handed_in_are_not_rotated_here(drive: Drive) -> None:
    site = with_keys(drive, GivenKeys([key_for("ES256")]))

    for change in (site.server.keys.ring, lambda: site.server.keys.rotate("ES256")):
        with pytest.raises(ConfigurationError, match="not in storage"):
            drive(change(), site.world)


@pytest.mark.parametrize(
    ("client", "refused"),
    [
        (Client(client_id="c"), None),
        (Client(client_id="c", id_token_lifetime=600), None),
        (Client(client_id="c", id_token_lifetime=601), "id_token_lifetime"),
        (Client(client_id="c", access_token_lifetime=601), None),
        (Client(client_id="c", access_token_lifetime=600, access_token_format="jwt"), None),
        (Client(client_id="c", access_token_lifetime=601, access_token_format="jwt"), "access_token_lifetime"),
    ],
)
def test_nothing_that_is_signed_for_a_client_outlives_its_key(client: Client, refused: str | None) -> None:
    client = attrs.evolve(client, redirect_uris=["https://client.example/cb"])
    server = make_site(run, keys=KeyPolicy(signed_lifetime=600)).server

    if refused is None:
        assert server.clients.prepare(client).client.client_id == "c"
        return
    with pytest.raises(ConfigurationError, match=rf"^{refused} = 601: make it 600 at most"):
        server.clients.prepare(client)


# What meets: a rotation with a signature, and workers with each other.


def refuse(error: OAuthError, cause: BaseException | None) -> Response:
    """Refuse."""
    return Response(error.status, (), str(cause or error).encode())


def signed_response(keys: StoredKeys, now: int) -> Flow[Response]:
    """Answer with a signed token, as an endpoint would."""

    def decision() -> Flow[Outcome]:
        signed = yield from signing(keys, now)(Jwt({"sub": "alice"}, "ES256"))
        return Decision(Response(200, (), signed.encode()))

    return transact(decision, refuse)


def published_response(keys: StoredKeys, now: int) -> Flow[Response]:
    """Answer with the published keys."""

    def decision() -> Flow[Outcome]:
        current = yield from keys.current(now)
        return Decision(Response(200, (), current.jwks))

    return transact(decision, refuse)


def turning(keys: StoredKeys, now: int) -> Flow[Response]:
    """Do what is due, as `serve` does by itself."""

    def decision() -> Flow[Outcome]:
        ring = yield from keys.ring(now)
        return Decision(Response(200, (), dump(ring).encode()))

    return transact(decision, refuse)


def rotating(keys: StoredKeys, now: int, *, at_once: bool) -> Flow[Response]:
    """Rotate, as an operator does."""

    def decision() -> Flow[Outcome]:
        ring = yield from keys.rotate("ES256", now, at_once=at_once)
        return Decision(Response(200, (), dump(ring).encode()))

    return transact(decision, refuse)


def a_ring_that_is_due() -> tuple[KeyRing, int]:
    """Return a ring whose successor may sign, and when."""
    world, keys = a_world(), worker()
    run(keys.current(NOW), world)
    run(keys.rotate("ES256", NOW), world)
    return stored(world), NOW + POLICY.published_lifetime


def one_signs(world: World) -> None:
    """Check that the stored ring has one active key."""
    assert sum(key.state is KeyState.ACTIVE for key in stored(world).keys) == 1


def verified(response: Response, world: World) -> None:
    """Check that a token was signed with a key that is published now, by a worker that looks for the first time."""
    assert response.status == 200, response.body
    current = run(worker().current(NOW), world)
    assert crypto.verify(response.body.decode(), current.published, ["ES256"]).claims == {"sub": "alice"}


def test_two_workers_that_start_at_once_agree_on_one_key() -> None:
    def check(run_: Run[Response]) -> None:
        one_signs(run_.world)
        assert len(stored(run_.world).keys) == 1
        for response in run_.results:
            verified(response, run_.world)

    explored = explore(
        lambda: Scene(a_world(), [signed_response(worker(), NOW), signed_response(worker(), NOW)]), check
    )

    assert explored.schedules > 1


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [False, True])
def test_whatever_a_rotation_meets_what_was_signed_can_be_verified(at_once: bool) -> None:
    """A worker that remembered the ring, one that had not seen it, and the operator, in every order."""
    ring, later = a_ring_that_is_due()

    def scene() -> Scene[Response]:
        world = a_world(ring)
        remembering = worker()
        run(remembering.current(NOW + POLICY.published_lifetime - 1), world)
        flows = [
            signed_response(remembering, later),
            signed_response(worker(), later),
            rotating(worker(), later, at_once=at_once),
        ]
        return Scene(world, flows)

    def check(run_: Run[Response]) -> None:
        one_signs(run_.world)
        for response in run_.results[:2]:
            verified(response, run_.world)

    assert explore(scene, check).orders > 100


def test_whoever_turns_the_ring_first_the_others_take_what_he_made() -> None:
    ring, later = a_ring_that_is_due()

    def check(run_: Run[Response]) -> None:
        one_signs(run_.world)
        bodies = {response.body for response in run_.results}
        assert bodies == {dump(stored(run_.world)).encode()}

    explored = explore(lambda: Scene(a_world(ring), [turning(worker(), later) for _ in range(3)]), check)

    assert explored.schedules > 1


def test_a_set_that_was_published_when_a_token_was_signed_has_its_key() -> None:
    """Whichever worker a client asks for the keys, whenever the ring turns."""
    ring, later = a_ring_that_is_due()

    def scene() -> Scene[Response]:
        world = a_world(ring)
        stale = worker()
        run(stale.current(later - POLICY.cache_lifetime + 1), world)
        return Scene(
            world, [signed_response(worker(), later), published_response(stale, later), turning(worker(), later)]
        )

    def check(run_: Run[Response]) -> None:
        token, published, _ = run_.results
        assert crypto.verify(token.body.decode(), parse_set(published.body), ["ES256"]).claims == {"sub": "alice"}

    assert explore(scene, check).schedules > 1


class Unwilling:
    """Be a storage in which somebody else is always first."""

    def __init__(self) -> None:
        self.find = MemoryStorage().find
        self.find_of = MemoryStorage().find_of
        self.purge = MemoryStorage().purge

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Refuse."""
        return False


def test_a_ring_that_can_not_be_stored_is_no_ring() -> None:
    """Else each worker would sign with a key of its own that nobody can ever look up."""
    response = run(signed_response(worker(), NOW), World(Unwilling(), generate_key=generate))

    assert response.status == 503
