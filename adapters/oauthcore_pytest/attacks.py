"""Attacks against a relying party, as tests that it runs over itself (RFC 9700, OIDC Core section 3.1.3.7).

    from oauthcore_pytest.attacks import RelyingParty, test_relying_party_withstands

and a fixture `relying_party` that returns a `RelyingParty` are all that it takes. Each attack ends in one question: is
anybody signed in who should not be? An exception of the application's is a refusal, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import pytest

from oauthcore_mock import FLAWS, Body, Browser, Callback, FlawName, Issuer, User
from oauthcore_pytest.relying_party import begin, bring_back

ATTACKER = "https://attacker.example/"
# What an application may call the parameter that says where somebody is sent after a login.
NEXT = ("next", "return_to", "redirect", "redirect_uri", "url", "continue")


@attrs.frozen
class RelyingParty:
    """Say how an application is attacked: `client()` makes a test client, each of them a browser with no cookies yet.

    `login` is the path that sends a browser to the provider. `is_signed_in(client)` tells whether somebody is signed in
    at the application in that browser. `leaves_out` are names of attacks that it is not to withstand, with a reason
    beside them, as a reader hopes.
    """

    client: Callable[[], Any]
    login: str
    is_signed_in: Callable[[Any], bool]
    leaves_out: Collection[str] = ()


@attrs.frozen
class Scene:
    """Hold who takes part: the application, the issuer that it trusts, and the browsers of victim and attacker."""

    relying_party: RelyingParty
    issuer: Issuer
    victim: Browser
    attacker: Browser

    def come_back(self, http: Any, callback: Callback) -> Any:
        """Bring a callback to the application; return its response, None where it raised an exception."""
        with suppress(Exception):
            return bring_back(http, callback)
        return None

    def walk(self, http: Any) -> Any:
        """Log the victim in; return the application's response, None where anything was refused on the way."""
        with suppress(Exception):
            return bring_back(http, self.victim.authorize(begin(self.victim, http, self.relying_party.login), VICTIM))
        return None

    def stolen(self) -> Callback:
        """Return what the attacker got by a login of their own, and has not used."""
        url = begin(self.attacker, self.relying_party.client(), self.relying_party.login)
        return self.attacker.authorize(url, MALLORY)


VICTIM = User("victim", {"email": "victim@example.com", "email_verified": True})
MALLORY = User("mallory", {"email": "mallory@example.com", "email_verified": True})
Act = Callable[[Scene], Any]


@attrs.frozen
class Attack:
    """Name an attack, what it is, and the section that asks for the defence.

    `act` carries it out, and returns the test client in which nobody may be signed in afterwards.
    """

    name: str
    act: Act = attrs.field(repr=False)
    says: str
    section: str


def _changed(callback: Callback, **changes: str | None) -> Callback:
    """Return a callback with other parameters; None takes one out."""
    parameters = {**callback.parameters, **{name: value for name, value in changes.items() if value is not None}}
    for name, value in changes.items():
        if value is None:
            parameters.pop(name, None)
    if callback.form is not None:
        return Callback(callback.url, parameters, parameters)
    parts = urlsplit(callback.url)
    own = [(name, value) for name, value in parse_qsl(parts.query) if name not in callback.parameters]
    query = urlencode([*own, *parameters.items()])
    return Callback(parts._replace(query=query, fragment="").geturl(), parameters)


def _login_csrf(scene: Scene) -> Any:
    """Have the victim's browser, in which no login was begun, bring the attacker's code."""
    http = scene.relying_party.client()
    scene.come_back(http, scene.stolen())
    return http


def _changed_state(state: str | None) -> Act:
    def act(scene: Scene) -> Any:
        """Begin a login, and come back with another state, or with none."""
        http = scene.relying_party.client()
        callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
        scene.come_back(http, _changed(callback, state=state))
        return http

    return act


def _code_injection(scene: Scene) -> Any:
    """Put a stolen code into an answer that the thief's own browser waits for (RFC 9700 section 4.5)."""
    http = scene.relying_party.client()
    url = begin(scene.attacker, http, scene.relying_party.login)
    own = scene.attacker.authorize(url, MALLORY)
    victims = scene.relying_party.client()
    stolen = scene.victim.authorize(begin(scene.victim, victims, scene.relying_party.login), VICTIM)
    scene.come_back(http, _changed(own, code=stolen.code))
    return http


def _replay(scene: Scene) -> Any:
    """Bring an answer, which has signed somebody in, from another browser once more."""
    http = scene.relying_party.client()
    callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
    scene.come_back(http, callback)
    other = scene.relying_party.client()
    scene.come_back(other, callback)
    return other


def _mix_up(iss: str | None) -> Act:
    def act(scene: Scene) -> Any:
        """Come back with an answer that says that another issuer has given it, or does not say which."""
        http = scene.relying_party.client()
        callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
        scene.come_back(http, _changed(callback, iss=iss))
        return http

    return act


def _error_beside_code(scene: Scene) -> Any:
    """Come back with an error, beside which there is a code."""
    http = scene.relying_party.client()
    callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
    scene.come_back(http, _changed(callback, error="access_denied"))
    return http


def _flawed(flaw: FlawName) -> Act:
    def act(scene: Scene) -> Any:
        """Answer the exchange of the code with an ID token that is to be refused."""
        scene.issuer.fail_next("id_token", flaw)
        http = scene.relying_party.client()
        scene.walk(http)
        return http

    return act


def _userinfo_of_another(scene: Scene) -> Any:
    """Answer at UserInfo with the claims of somebody else than the ID token names."""
    scene.issuer.fail_next("userinfo", Body(json.dumps({"sub": MALLORY.sub, **MALLORY.claims})))
    http = scene.relying_party.client()
    scene.walk(http)
    return http if not scene.issuer.faults.unmet else None


def _metadata_of_another(scene: Scene) -> Any:
    """Answer at discovery with metadata that names another issuer."""
    document = {**scene.issuer.metadata, "issuer": f"{scene.issuer.url}/other"}
    scene.issuer.fail_next("metadata", Body(json.dumps(document)))
    http = scene.relying_party.client()
    scene.walk(http)
    return http if not scene.issuer.faults.unmet else None


def _failing(fault: int | str) -> Act:
    def act(scene: Scene) -> Any:
        """Fail at the token endpoint."""
        scene.issuer.fail_next("token", fault)
        http = scene.relying_party.client()
        scene.walk(http)
        return http

    return act


# In the code flow these are to be looked at by every relying party (OIDC Core section 3.1.3.7, with RFC 9700). Whoever
# has the token from the token endpoint by TLS may leave the signature out (number 6); then its attacks are left out.
_ID_TOKEN_FLAWS: tuple[FlawName, ...] = (
    *("expired", "no_expiry", "wrong_issuer", "no_issuer", "wrong_audience", "no_audience", "no_subject"),
    *("wrong_nonce", "no_nonce", "wrong_authorized_party"),
    *("bad_signature", "foreign_key", "unknown_kid", "embedded_key", "unsigned", "signed_with_public_key"),
)

ATTACKS: tuple[Attack, ...] = (
    Attack("login_csrf", _login_csrf, "an answer that this browser has not asked for", "RFC 9700 section 4.7"),
    Attack("wrong_state", _changed_state("wrong"), "an answer with another state", "RFC 6749 section 10.12"),
    Attack("no_state", _changed_state(None), "an answer without a state", "RFC 6749 section 10.12"),
    Attack("code_injection", _code_injection, "a stolen code in an answer of one's own", "RFC 9700 section 4.5"),
    Attack("code_replay", _replay, "the same answer once more, in another browser", "RFC 9700 section 4.5"),
    Attack("mix_up", _mix_up("https://attacker.example"), "an answer of another issuer", "RFC 9207 section 2.4"),
    Attack("no_iss", _mix_up(None), "an answer without the issuer that always names itself", "RFC 9207 section 2.4"),
    Attack("error_and_code", _error_beside_code, "an error with a code beside it", "RFC 6749 section 4.1.2.1"),
    *(
        Attack(f"id_token_{flaw}", _flawed(flaw), f"an ID token: {FLAWS[flaw].says}", "OIDC Core section 3.1.3.7")
        for flaw in _ID_TOKEN_FLAWS
    ),
    Attack("userinfo_of_another", _userinfo_of_another, "UserInfo of somebody else", "OIDC Core section 5.3.2"),
    Attack("metadata_of_another", _metadata_of_another, "metadata of another issuer", "OIDC Discovery section 4.3"),
    Attack("token_refused", _failing("invalid_grant"), "a code that the issuer refuses", "RFC 6749 section 5.2"),
    Attack("token_failed", _failing(500), "a token endpoint that fails", "RFC 6749 section 5.2"),
    Attack("token_malformed", _failing("malformed"), "a token response that ends in the middle", "RFC 8259 section 2"),
)


def leads_away(relying_party: RelyingParty, issuer: Issuer, browser: Browser, name: str) -> bool:
    """Return whether a login can be made to end at a host of somebody else's, by a parameter of the login page."""
    http = relying_party.client()
    mark = "&" if "?" in relying_party.login else "?"
    path = f"{relying_party.login}{mark}{urlencode({name: ATTACKER})}"
    with suppress(Exception):
        response = bring_back(http, browser.authorize(begin(browser, http, path), VICTIM))
        return str(response.headers.get("location") or "").startswith((ATTACKER.rstrip("/"), "//attacker.example"))
    return False


def check_withstands(attack: Attack, relying_party: RelyingParty, issuer: Issuer, browser: Browser) -> None:
    """Carry an attack out, and raise `AssertionError` where it succeeds; skip one that has nothing to attack."""
    if attack.name in relying_party.leaves_out:
        pytest.skip("left out by the fixture relying_party")
    scene = Scene(relying_party, issuer, browser, Browser(browser.provider))
    try:
        http = attack.act(scene)
        is_without_effect = http is None or (attack.name.startswith("id_token_") and issuer.faults.unmet)
    finally:
        issuer.faults.clear()
    if is_without_effect:
        pytest.skip("the application does not ask for what is attacked here")
    if relying_party.is_signed_in(http):
        raise AssertionError(f"somebody is signed in by {attack.says} ({attack.section})")


def _name_of(attack: Attack | None) -> str:
    return "honest_login" if attack is None else attack.name


@pytest.mark.parametrize("attack", [None, *ATTACKS], ids=_name_of)
def test_relying_party_withstands(
    attack: Attack | None, relying_party: RelyingParty, oauth_issuer: Issuer, oauth_browser: Browser
) -> None:
    """Attack the application in one way; the first time, log in honestly, or all of this would show nothing."""
    if attack is not None:
        check_withstands(attack, relying_party, oauth_issuer, oauth_browser)
        return
    http = relying_party.client()
    if relying_party.is_signed_in(http):
        raise AssertionError("somebody is signed in before any login")
    bring_back(http, oauth_browser.authorize(begin(oauth_browser, http, relying_party.login), VICTIM))
    if not relying_party.is_signed_in(http):
        raise AssertionError("nobody is signed in after an honest login")


@pytest.mark.parametrize("name", NEXT)
def test_relying_party_leads_nobody_away(
    name: str, relying_party: RelyingParty, oauth_issuer: Issuer, oauth_browser: Browser
) -> None:
    """Ask the application to send its user elsewhere after the login (RFC 9700 section 4.11.1)."""
    if leads_away(relying_party, oauth_issuer, oauth_browser, name):
        raise AssertionError(f"{name} leads to {ATTACKER} after a login")
