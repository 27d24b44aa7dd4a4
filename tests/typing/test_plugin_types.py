"""What the fixtures of the pytest plugin are to a type checker, in somebody else's project."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parent.parent.parent

REVEALED = {
    "server: Provider, issuer: Issuer": {
        'server.issuer("acme")': "oauthcore_mock.issuer.Issuer",
        "server.requests": "oauthcore_mock.recorder.Recorder",
        "issuer.url": "str",
        'issuer.token("bob", scope="read", claims={"roles": ["a"]}, expires_in=-1, flaw="unsigned")': "str",
        "issuer.jwks": "dict[str, Any]",
        "issuer.client().client_secret": "str | None",
        'issuer.next_login("bob", {"email": "b@example.com"})': "oauthcore_mock.people.User",
        "issuer.requests.last().form": "typing.Mapping[str, str]",
        'issuer.requests.assert_sent("token", code=None)': "oauthcore_mock.recorder.RecordedRequest",
    },
    "token: TokenFactory, browser: Browser, app: Applications": {
        'token("bob", aud=["a", "b"], opaque=True)': "str",
        'browser.authorize("/", "bob").code': "str",
        'browser.deny("/").error': "str | None",
        'browser.log_out("/")': "str | None",
    },
}
# Each is wrong, and mypy has to say so.
REFUSED = {
    'issuer.fail_next("tokens", 500)': "arg-type",
    'issuer.token(flaw="no_such_flaw")': "arg-type",
    "issuer.token(expires=5)": "call-arg",
    "clock.advance('an hour')": "arg-type",
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run mypy once over a file with all of these."""
    lines = [
        "from oauthcore_pytest import Applications, Browser, Clock, Issuer, Provider",
        "from oauthcore_pytest import TokenFactory",
    ]
    for number, (arguments, expressions) in enumerate(REVEALED.items()):
        lines += [f"def revealed_{number}({arguments}) -> None:", *(f"    reveal_type({each})" for each in expressions)]
    lines += ["def refused(issuer: Issuer, clock: Clock) -> None:", *(f"    {each}" for each in REFUSED)]
    file = tmp_path_factory.mktemp("types") / "test_somebody.py"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(file.parent / "cache")]
    stdout, stderr, _ = api.run([*options, "--python-executable", sys.executable, "--no-error-summary", str(file)])
    assert not stderr, stderr
    return stdout


@pytest.mark.slow
def test_what_the_fixtures_give_has_a_type(checked: str) -> None:
    wanted = [kind for expressions in REVEALED.values() for kind in expressions.values()]

    assert re.findall(r'Revealed type is "(.*)"', checked) == wanted


@pytest.mark.slow
def test_what_is_wrong_does_not_type_check(checked: str) -> None:
    assert re.findall(r"error: .*\[([a-z-]+)\]", checked) == list(REFUSED.values())
