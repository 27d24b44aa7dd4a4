"""What every contestant must get right before it is timed, so that no error path is ever measured.

Only what the operations rest on: that what should succeed does, and that each check an implementation could save
itself (the secret, the verifier, single use, rotation, the redirect URI, the consent) is really made.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.operations import (
    CLIENT_ID,
    REDIRECT_URI,
    SCOPE,
    Contestant,
    Pkce,
    authorization_request,
    credentials_request,
    exchange_request,
    fresh_code,
    fresh_pair,
    introspection_request,
    members_of,
    redirect_of,
    refresh_request,
    status_of,
)
from benchmarks.wire import mint


class Disqualified(Exception):
    """Name the contestant, the claim that does not hold and the answer that shows it."""


def _issued(answer: bytes) -> bool:
    members = members_of(answer)
    bearer = str(members.get("token_type")).lower() == "bearer"
    lively = isinstance(lifetime := members.get("expires_in"), int) and lifetime > 0
    return status_of(answer) == 200 and bearer and lively and len(str(members.get("access_token", ""))) >= 30


def _paired(answer: bytes) -> bool:
    return _issued(answer) and len(str(members_of(answer).get("refresh_token", ""))) >= 30


def _refused(answer: bytes) -> bool:
    return 400 <= status_of(answer) < 500 and "error" in members_of(answer)


def _active(answer: bytes) -> bool:
    members = members_of(answer)
    right = (members.get("active"), members.get("client_id"), members.get("scope")) == (True, CLIENT_ID, SCOPE)
    return status_of(answer) == 200 and right


def _inactive(answer: bytes) -> bool:
    return status_of(answer) == 200 and members_of(answer).get("active") is False


def verify(contestant: Contestant) -> None:
    """Raise `Disqualified` unless every answer is what its standard demands."""

    def check(claim: str, holds: Callable[[bytes], bool], answer: bytes) -> bytes:
        if not holds(answer):
            raise Disqualified(f"{contestant.name}: {claim}: {answer!r}")
        return answer

    contestant.forget()
    _verify_client_credentials(contestant, check)
    _verify_exchange(contestant, check)
    _verify_refresh(contestant, check)
    _verify_introspection(contestant, check)
    _verify_authorize(contestant, check)
    contestant.forget()
    check("what was forgotten is gone", _inactive, contestant.introspect(introspection_request(contestant.secret, "?")))


Check = Callable[[str, Callable[[bytes], bool], bytes], bytes]


def _verify_client_credentials(one: Contestant, check: Check) -> None:
    answer = check("a client gets a token of its own", _issued, one.token(credentials_request(one.secret)))
    check("its scope is as asked", lambda it: members_of(it).get("scope") == "read", answer)
    check("a wrong secret is refused", _refused, one.token(credentials_request("wrong")))


def _verify_exchange(one: Contestant, check: Check) -> None:
    pkce = Pkce()
    request = exchange_request(one.secret, fresh_code(one, pkce), pkce.verifier)

    answer = check("a code gives a pair", _paired, one.token(request))
    check("its scope is as allowed", lambda it: members_of(it).get("scope") == SCOPE, answer)
    check("a code is good once", _refused, one.token(request))

    other = exchange_request(one.secret, fresh_code(one, pkce), Pkce().verifier)
    check("a wrong verifier is refused", _refused, one.token(other))
    stolen = exchange_request("wrong", fresh_code(one, pkce), pkce.verifier)
    check("a wrong secret is refused at the exchange", _refused, one.token(stolen))


def _verify_refresh(one: Contestant, check: Check) -> None:
    first = fresh_pair(one)[1]
    answer = check("a refresh token gives a pair", _paired, one.token(refresh_request(one.secret, first)))
    second = str(members_of(answer)["refresh_token"])
    check("its scope is unchanged", lambda it: members_of(it).get("scope") == SCOPE, answer)
    check("the refresh token rotates", lambda _: second != first, answer)
    check("the next refresh token works", _paired, one.token(refresh_request(one.secret, second)))
    check("a spent refresh token is refused", _refused, one.token(refresh_request(one.secret, first)))


def _verify_introspection(one: Contestant, check: Check) -> None:
    token = fresh_pair(one)[0]
    check("a live token is active", _active, one.introspect(introspection_request(one.secret, token)))
    check("an unknown token is not", _inactive, one.introspect(introspection_request(one.secret, mint())))
    check("a wrong secret learns nothing", _refused, one.introspect(introspection_request("wrong", token)))


def _verify_authorize(one: Contestant, check: Check) -> None:
    pkce, state = Pkce(), mint()
    answer = one.authorize(authorization_request(pkce, state))
    target, parameters = redirect_of(answer)
    check("the browser is redirected", lambda it: status_of(it) in (302, 303) and target == REDIRECT_URI, answer)
    check("the state comes back", lambda _: parameters.get("state") == state, answer)
    check("the code works", _paired, one.token(exchange_request(one.secret, parameters.get("code", ""), pkce.verifier)))

    stray = one.authorize(authorization_request(pkce, state, redirect_uri="https://attacker.example/"))
    check("an unregistered redirect URI gets nothing", lambda it: redirect_of(it)[0] == "", stray)
    # `admin` is registered for the client, but the person never allowed it.
    more = one.authorize(authorization_request(pkce, state, scope=f"{SCOPE} admin"))
    check("what the person didn't allow gets no code", lambda it: "code" not in redirect_of(it)[1], more)
