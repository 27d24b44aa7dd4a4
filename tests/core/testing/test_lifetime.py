"""A life goes as the model says; and servers, storages and adapters that break an invariant are found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from oauthcore import AuthorizationServer, MemoryStorage, Request, Response, World, run
from oauthcore.errors import Contended
from oauthcore.flow.outcome import Change, Replace
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import GrantState
from oauthcore.records.token import AuthorizationCode
from oauthcore.testing import Act, Factory, GrantMachine, Lifetime
from oauthcore.testing import lifetime as lives
from oauthcore.testing.client_session import members_of
from oauthcore.testing.lifetime import FILES, MAIL, UNKNOWN
from oauthcore.testing.misuse import MISUSES, How
from tests.core.testing.storages import Sound


class Changing(MemoryStorage):
    """Be a storage that drops what it is told to drop from a commit."""

    def changed(self, change: Change) -> Change | None:
        """Return what is made of a change."""
        return change

    def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Commit what is left."""
        return super().commit([made for made in map(self.changed, changes) if made is not None])


class RedeemsAgain(Changing):
    """Forget that a code was redeemed."""

    def changed(self, change: Change) -> Change | None:  # type: ignore[explicit-override]  # none in 3.11
        """Drop it."""
        is_redemption = isinstance(change, Replace) and isinstance(change.new, AuthorizationCode)
        return None if is_redemption else change


class NeverRevokes(Changing):
    """Forget that a grant was revoked."""

    def changed(self, change: Change) -> Change | None:  # type: ignore[explicit-override]  # none in 3.11
        """Drop it."""
        new = change.new if isinstance(change, Replace) else None
        return None if isinstance(new, Grant) and new.state is GrantState.REVOKED else change


class NeverRotates(Changing):
    """Forget that a refresh token was used."""

    def changed(self, change: Change) -> Change | None:  # type: ignore[explicit-override]  # none in 3.11
        """Drop it."""
        new = change.new if isinstance(change, Replace) else None
        return None if isinstance(new, Grant) and new.rotation is not None else change


def retold(change: Callable[[dict[str, Any]], object]) -> lives.Adapter:
    """Return an adapter that changes what the token endpoint says."""

    def adapter(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            response = run(server.handle(request), world)
            if request.path != "/token" or response.status != 200:
                return response
            members = members_of(response)
            change(members)
            return attrs.evolve(response, body=str(members).replace("'", '"').encode())

        return handle

    return adapter


GROWN = retold(lambda members: members.update(scope="email profile read admin"))
LONGER = retold(lambda members: members.update(expires_in=members["expires_in"] + 1))

THEFT = [Act("authorize"), Act("redeem"), Act("refresh"), Act("refresh", which=1), Act("refresh")]


@pytest.mark.parametrize("storage", [MemoryStorage, Sound])
def test_a_life_goes_as_the_model_says_over_any_storage(storage: Factory) -> None:
    lifetime = Lifetime(storage)

    lifetime.play(
        [
            Act("refresh"),  # there is nothing yet to refresh, and it is passed over
            Act("authorize", scope="email profile read"),
            Act("redeem_wrongly"),
            Act("redeem"),
            Act("refresh", scope="email"),
            Act("refresh"),
            Act("refresh", which=1, scope="email profile"),
            Act("wait", seconds=300),
            Act("revoke_access", which=1),
            Act("authorize"),
            Act("redeem", which=1),
            Act("revoke_refresh", which=3),
            Act("redeem"),
        ]
    )
    lifetime.purge(100)
    lifetime.check()

    assert [grant.ended for grant in lifetime.grants] == [True, True]
    lifetime.close()


def test_a_life_goes_as_the_model_says_with_resources_that_are_narrowed() -> None:
    lifetime = Lifetime()

    lifetime.play(
        [
            Act("ask_wrongly", resources=(FILES,)),
            Act("authorize", scope="email profile", resources=(FILES, MAIL)),
            Act("redeem", resources=(UNKNOWN,)),
            Act("redeem", resources=(MAIL,)),
            Act("refresh", resources=(FILES,)),
            Act("refresh", resources=(MAIL,)),  # a retry, for another audience
            Act("refresh", resources=(FILES,)),  # an honest one
            Act("authorize", scope="email profile", resources=(MAIL,)),
            Act("redeem", which=1),
            Act("refresh", which=2, scope="email profile"),
            Act("refresh", which=3, resources=(FILES,)),
        ]
    )

    one, other = lifetime.grants
    assert [access.audience for access in (*one.accesses, *other.accesses)] == [(MAIL,), (FILES,), (MAIL,), (MAIL,)]
    assert [access.scope for access in one.accesses] == ["email", "email profile"]
    assert not any(grant.ended for grant in lifetime.grants)


def unfiltered(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
    """Be an adapter that loses every parameter `resource` at the token endpoint."""

    def handle(request: Request) -> Response:
        if request.path == "/token":
            pairs = [pair for pair in parse_qsl(request.body.decode()) if pair[0] != "resource"]
            request = attrs.evolve(request, body=urlencode(pairs).encode())
        return run(server.handle(request), world)

    return handle


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ((UNKNOWN,), "a code for a resource that was not allowed was answered with 200"),
        ((MAIL,), "was given where {'email'} was asked for"),
        ((FILES,), "an access token for .*files'] is for .*mail.example"),
    ],
)
def test_an_adapter_that_loses_the_resources_of_a_request_is_found_out(resources: tuple[str, ...], says: str) -> None:
    lifetime = Lifetime(adapter=unfiltered)

    with pytest.raises(AssertionError, match=says):
        lifetime.play([Act("authorize", resources=(FILES, MAIL)), Act("redeem", resources=resources)])


def test_a_wider_scope_is_refused_and_ends_nothing() -> None:
    lifetime = Lifetime()
    lifetime.play([Act("authorize", scope="email"), Act("redeem"), Act("refresh", scope="email profile")])

    assert not lifetime.grants[0].ended
    assert len(lifetime.refreshes) == 1


@pytest.mark.parametrize(
    ("storage", "adapter", "acts", "says"),
    [
        (RedeemsAgain, None, [Act("authorize"), Act("redeem"), Act("redeem")], "a code that was redeemed before was"),
        (NeverRevokes, None, [*THEFT[:2], Act("revoke_refresh")], "of an ended grant is live, and should be dead"),
        (NeverRotates, None, THEFT[:3], "is live, and should be dead|is dead, and should be live"),
        (MemoryStorage, GROWN, THEFT[:2], "scope has grown"),
        (MemoryStorage, LONGER, THEFT[:2], "expires_in is not when the token expires"),
    ],
)
def test_what_breaks_an_invariant_is_found_out(
    storage: Factory, adapter: lives.Adapter | None, acts: list[Act], says: str
) -> None:
    lifetime = Lifetime(storage, adapter)

    with pytest.raises(AssertionError, match=says):
        lifetime.play(acts)


def test_a_retry_that_gets_another_pair_is_found_out() -> None:
    lifetime = Lifetime()
    lifetime.play(THEFT[:3])
    answer = lifetime.refreshes[0].answer
    assert answer is not None
    lifetime.refreshes[0].answer = {**answer, "refresh_token": "another"}

    with pytest.raises(AssertionError, match="an honest retry got another refresh_token"):
        lifetime.play([Act("refresh")])


@pytest.mark.slow
@pytest.mark.parametrize("storage", [RedeemsAgain, NeverRevokes, NeverRotates])
def test_the_machine_finds_out_what_breaks_an_invariant(storage: Callable[[], MemoryStorage]) -> None:
    class OverIt(GrantMachine):
        def lifetime(self) -> Lifetime:  # type: ignore[explicit-override]  # none in 3.11
            return Lifetime(storage)

    quick = settings(max_examples=50, stateful_step_count=20, deadline=None, derandomize=True, phases=[Phase.generate])

    # Contended: where nothing is ever revoked, a withdrawal finds more to end after every commit.
    with pytest.raises((AssertionError, Contended)):
        run_state_machine_as_test(OverIt, settings=quick)


def through(
    request: Callable[[Request, dict[str, Any]], Request] = lambda request, kept: request,
    response: Callable[[Response, dict[str, Any]], Response] = lambda response, kept: response,
) -> lives.Adapter:
    """Return an adapter that changes what goes in, or what comes out; `kept` is what it remembers."""

    def adapter(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
        kept: dict[str, Any] = {}
        return lambda asked: response(run(server.handle(request(asked, kept)), world), {**kept, "asked": asked})

    return adapter


def without(name: str) -> lives.Adapter:
    """Return an adapter that loses a header of the response."""
    return through(
        response=lambda given, _: attrs.evolve(
            given, headers=tuple(header for header in given.headers if header[0].lower() != name)
        )
    )


def first_of_each(request: Request, _: dict[str, Any]) -> Request:
    """Read a form into a dict, and send that on."""
    pairs = dict(parse_qsl(request.body.decode()))
    return attrs.evolve(request, body=urlencode(pairs).encode()) if request.body else request


def with_the_first_cookie(request: Request, kept: dict[str, Any]) -> Request:
    """Take every browser for the first."""
    cookie = request.header("cookie")
    first = str(kept.setdefault("cookie", cookie)) if cookie is not None else ""
    return attrs.evolve(request, headers=tuple((n, first if n == "cookie" else v) for n, v in request.headers))


def kept_for_all(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
    """Answer what was asked before as before."""
    answers: dict[tuple[str, str, bytes], Response] = {}

    def handle(request: Request) -> Response:
        key = (request.method, request.target, request.body)
        if key not in answers:
            answers[key] = run(server.handle(request), world)
        return answers[key]

    return handle


def told_of_alice(response: Response, kept: dict[str, Any]) -> Response:
    """Say of every token that it is alice's."""
    return attrs.evolve(response, body=response.body.replace(b'"bob"', b'"alice"'))


def told_why_it_is_dead(response: Response, kept: dict[str, Any]) -> Response:
    """Say more of a dead token than that it is."""
    return attrs.evolve(response, body=response.body.replace(b'{"active": false}', b'{"active": false, "sub": "x"}'))


def unquoted(request: Request, _: dict[str, Any]) -> Request:
    """Decode a target before it is read."""
    return attrs.evolve(request, target=unquote(request.target))


HOSTS: dict[str, tuple[lives.Adapter, list[Act], str]] = {
    "loses WWW-Authenticate": (
        without("www-authenticate"),
        [*THEFT[:2], Act("refresh_wrongly", how="secret")],
        "a wrong client secret was refused by 401 without the header WWW-Authenticate",
    ),
    "loses Cache-Control": (without("cache-control"), THEFT[:2], "a code was answered with Cache-Control: None"),
    "loses Content-Type": (without("content-type"), THEFT[:2], "a code was answered with Content-Type: None"),
    "loses Location": (without("location"), THEFT[:1], "the browser was sent nowhere: 303"),
    "loses Set-Cookie": (without("set-cookie"), THEFT[:1], "the browser was sent nowhere: 400 invalid_request"),
    "reads a form into a dict": (
        through(first_of_each),
        [Act("authorize"), Act("redeem_wrongly", how="twice")],
        "a code with a parameter sent twice was answered with 200, and not with 400",
    ),
    "decodes a target": (through(unquoted), THEFT[:1], "state did not come back as it was"),
    "mixes two browsers": (
        through(with_the_first_cookie),
        [Act("ask"), Act("ask", subject="bob"), Act("approve"), Act("approve")],
        "the interaction was started in another browser",
    ),
    "mixes two people": (
        through(response=told_of_alice),
        [Act("authorize", subject="bob"), Act("redeem")],
        "an access token of bob's for walker is alice's for walker",
    ),
    "says why a token is dead": (
        through(response=told_why_it_is_dead),
        [*THEFT[:2], Act("revoke_refresh")],
        r"is dead, and it is told more of it: \['active', 'sub'\]",
    ),
    "caches": (kept_for_all, [Act("authorize"), Act("redeem"), Act("redeem")], "a code that was redeemed before was"),
    "answers 400 for 401": (
        through(response=lambda given, _: attrs.evolve(given, status=400 if given.status == 401 else given.status)),
        [Act("authorize"), Act("redeem_wrongly", how="secret")],
        "was answered with 400, and not with 401",
    ),
}


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_wrong_with_a_host_is_found_out(name: str) -> None:
    adapter, acts, says = HOSTS[name]
    Lifetime().play(acts)

    with pytest.raises(AssertionError, match=says):
        Lifetime(adapter=adapter).play(acts)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTS)
def test_the_machine_finds_out_what_is_wrong_with_a_host(name: str) -> None:
    class OverIt(GrantMachine):
        def lifetime(self) -> Lifetime:  # type: ignore[explicit-override]  # none in 3.11
            return Lifetime(adapter=HOSTS[name][0])

    quick = settings(max_examples=100, stateful_step_count=20, deadline=None, derandomize=True, phases=[Phase.generate])

    with pytest.raises(AssertionError):
        run_state_machine_as_test(OverIt, settings=quick)


@pytest.mark.parametrize("how", MISUSES)
def test_nothing_that_is_presented_wrongly_changes_anything(how: How) -> None:
    lifetime = Lifetime()
    wrongly = [Act("redeem_wrongly", how=how), Act("refresh_wrongly", how=how)]

    lifetime.play([Act("authorize"), Act("redeem_wrongly", how=how), Act("redeem"), *wrongly, Act("refresh"), *wrongly])

    assert [len(lifetime.grants[0].refreshes), lifetime.grants[0].ended] == [2, False]


def test_requests_wait_for_their_people_side_by_side_and_not_for_ever() -> None:
    lifetime = Lifetime()
    lifetime.play(
        [Act("approve"), Act("ask", scope="email"), Act("ask", subject="bob"), Act("ask"), Act("approve", which=1)]
    )
    lifetime.play([Act("approve"), Act("redeem"), Act("redeem", which=1), Act("wait", seconds=3_600), Act("approve")])

    assert [(grant.subject, grant.scope) for grant in lifetime.grants] == [("bob", "email profile"), ("alice", "email")]
    assert lifetime.waiting == []
