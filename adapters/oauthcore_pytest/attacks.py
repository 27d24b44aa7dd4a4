"""Attacks against a relying party, as tests that it imports (RFC 9700, OIDC Core section 3.1.3.7).

    from oauthcore_pytest.attacks import RelyingParty, test_relying_party_withstands

and a fixture `relying_party` that returns a `RelyingParty` are all that is needed. Each attack ends in one question: is
a user signed in who should not be? An exception that the application raises is a refusal, too.
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
# Common names of the parameter that says where the browser is sent after a login.
NEXT = ("next", "return_to", "redirect", "redirect_uri", "url", "continue")


@attrs.frozen
class RelyingParty:
    """Describe the application: `client()` creates a test client, each of which is a browser without cookies.

    `login` is the path that redirects a browser to the provider. `is_signed_in(client)` returns whether a user is
    signed in at the application in that browser. `leaves_out` are names of attacks to skip, best with a reason.
    """

    client: Callable[[], Any]
    login: str
    is_signed_in: Callable[[Any], bool]
    leaves_out: Collection[str] = ()


@attrs.frozen
class Scene:
    """Hold the application, the issuer that it trusts, and the browsers of victim and attacker."""

    relying_party: RelyingParty
    issuer: Issuer
    victim: Browser
    attacker: Browser

    def come_back(self, http: Any, callback: Callback) -> Any:
        """Send a callback to the application; return its response, None if it raised an exception."""
        with suppress(Exception):
            return bring_back(http, callback)
        return None

    def walk(self, http: Any) -> Any:
        """Log the victim in; return the application's response, None if anything was refused on the way."""
        with suppress(Exception):
            return bring_back(http, self.victim.authorize(begin(self.victim, http, self.relying_party.login), VICTIM))
        return None

    def stolen(self) -> Callback:
        """Return the unused callback of the attacker's own login."""
        url = begin(self.attacker, self.relying_party.client(), self.relying_party.login)
        return self.attacker.authorize(url, MALLORY)


VICTIM = User("victim", {"email": "victim@example.com", "email_verified": True})
MALLORY = User("mallory", {"email": "mallory@example.com", "email_verified": True})
Act = Callable[[Scene], Any]


@attrs.frozen
class Attack:
    """Describe an attack, and the section that requires the defence.

    `act` performs it, and returns the test client in which no user may be signed in afterwards.
    """

    name: str
    act: Act = attrs.field(repr=False)
    says: str
    section: str


def _changed(callback: Callback, **changes: str | None) -> Callback:
    """Return a callback with other parameters; None removes one."""
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
    """Send the attacker's code from the victim's browser, which has begun no login (login CSRF)."""
    http = scene.relying_party.client()
    scene.come_back(http, scene.stolen())
    return http


def _changed_state(state: str | None) -> Act:
    def act(scene: Scene) -> Any:
        """Begin a login, and return with another state, or with none."""
        http = scene.relying_party.client()
        callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
        scene.come_back(http, _changed(callback, state=state))
        return http

    return act


def _code_injection(scene: Scene) -> Any:
    """Inject a stolen code into a response to the attacker's own browser (RFC 9700 section 4.5)."""
    http = scene.relying_party.client()
    url = begin(scene.attacker, http, scene.relying_party.login)
    own = scene.attacker.authorize(url, MALLORY)
    victims = scene.relying_party.client()
    stolen = scene.victim.authorize(begin(scene.victim, victims, scene.relying_party.login), VICTIM)
    scene.come_back(http, _changed(own, code=stolen.code))
    return http


def _replay(scene: Scene) -> Any:
    """Replay a response that has signed a user in, from another browser."""
    http = scene.relying_party.client()
    callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
    scene.come_back(http, callback)
    other = scene.relying_party.client()
    scene.come_back(other, callback)
    return other


def _mix_up(iss: str | None) -> Act:
    def act(scene: Scene) -> Any:
        """Return with a response that names another issuer, or none (RFC 9207)."""
        http = scene.relying_party.client()
        callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
        scene.come_back(http, _changed(callback, iss=iss))
        return http

    return act


def _error_beside_code(scene: Scene) -> Any:
    """Return with an error and a code."""
    http = scene.relying_party.client()
    callback = scene.victim.authorize(begin(scene.victim, http, scene.relying_party.login), VICTIM)
    scene.come_back(http, _changed(callback, error="access_denied"))
    return http


def _flawed(flaw: FlawName) -> Act:
    def act(scene: Scene) -> Any:
        """Answer the code exchange with an ID token that has to be refused."""
        scene.issuer.fail_next("id_token", flaw)
        http = scene.relying_party.client()
        scene.walk(http)
        return http

    return act


def _userinfo_of_another(scene: Scene) -> Any:
    """Answer at UserInfo with the claims of another user than that of the ID token."""
    scene.issuer.fail_next("userinfo", Body(json.dumps({"sub": MALLORY.sub, **MALLORY.claims})))
    http = scene.relying_party.client()
    scene.walk(http)
    return http if not scene.issuer.faults.unmet else None


def _metadata_of_another(scene: Scene) -> Any:
    """Answer discovery with metadata that names another issuer."""
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


# Every relying party has to check these in the code flow (OIDC Core section 3.1.3.7, with RFC 9700). With a token from
# the token endpoint by TLS the signature may be left unchecked (number 6); then leave its attacks out.
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
    """Return whether a parameter of the login page can redirect a user to a foreign host after login."""
    http = relying_party.client()
    mark = "&" if "?" in relying_party.login else "?"
    path = f"{relying_party.login}{mark}{urlencode({name: ATTACKER})}"
    with suppress(Exception):
        response = bring_back(http, browser.authorize(begin(browser, http, path), VICTIM))
        return str(response.headers.get("location") or "").startswith((ATTACKER.rstrip("/"), "//attacker.example"))
    return False


def check_withstands(attack: Attack, relying_party: RelyingParty, issuer: Issuer, browser: Browser) -> None:
    """Perform an attack, and raise `AssertionError` if it succeeds; skip one that does not apply."""
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
    """Perform one attack on the application; the first time, check that an honest login works."""
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
    """Try to redirect the user to another host after the login (RFC 9700 section 4.11.1)."""
    if leads_away(relying_party, oauth_issuer, oauth_browser, name):
        raise AssertionError(f"{name} leads to {ATTACKER} after a login")
