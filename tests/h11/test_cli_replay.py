"""`oauthcore replay` tells the story of a decision: what was found, what passed, and what refused, by which section."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import Request, Response, run
from oauthcore.authorization.checks import checks_at
from oauthcore.check import Check
from oauthcore.documents import DocumentNeeded, Documents
from oauthcore.jose.jwk import is_key_set
from oauthcore.testing import Outage
from oauthcore.trace import Recorder, Trace
from oauthcore_h11.cli import main
from oauthcore_h11.witness import CHECKS, ROWS, Passed, Witness
from tests.core.site import FORM, SECRETS, VERIFIER, Site, basic, form, make_site
from tests.core.test_interleavings import redemption
from tests.core.trace.test_trace import Ticket


def recorded(site: Site, request: Request, path: Path) -> Trace:
    """Send a request, and write its trace."""
    traces: list[Trace] = []
    run(Recorder(traces.append).recorded(site.server).handle(request), site.world)
    path.write_text(traces[0].dump(), encoding="utf-8")
    return traces[0]


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[object, str, str]:
    """Run the command, and give its exit status and what it wrote."""
    with pytest.raises(SystemExit) as end:
        main(["replay", *map(str, arguments)])
    written = capsys.readouterr()
    return end.value.code, written.out, written.err


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.json"


def without_marks(text: str) -> list[str]:
    """Return the lines, without what differs from record to record."""
    return [line.partition(" #")[0].rstrip() for line in text.splitlines()]


def test_a_refusal_is_told_with_the_facts_and_the_section(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site()
    body = form(grant_type="authorization_code", code=site.code(), redirect_uri="https://client.example/callback")
    request = Request(
        "POST", "/token", (FORM, basic("confidential", SECRETS["confidential"])), body + b"&code_verifier=" + b"w" * 43
    )
    recorded(site, request, path)

    status, out, err = told(capsys, path)

    assert (status, err) == (0, "")
    lines = without_marks(out)
    assert lines[0] == "asked    POST /token at 2027-01-15T08:00:00Z"
    found = [line.split()[1] for line in lines if line.startswith("found")]
    assert found == ["Client", "AuthorizationCode", "Grant", "dict"]  # the last: that the person is known
    passed = [line.removeprefix("passed   ") for line in lines if line.startswith("passed")]
    assert passed == [
        "each parameter comes once [RFC 6749 section 3.1]",
        "the body is a form [RFC 6749 section 3.2]",
        "the client authenticates in one way [RFC 6749 section 2.3]",
        "the client has proven who it is, by the method that it is registered for [RFC 6749 section 2.3]",
    ]
    assert lines[-3].startswith("refused  code_verifier matches the code's challenge [RFC 7636 section 4.6]")
    assert lines[-2] == "answer   400 invalid_grant: code_verifier does not match the challenge"
    assert lines[-1] == "replay   the same decision"


def test_what_was_granted_is_told_with_its_changes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site()
    recorded(site, redemption(site.code()), path)

    status, out, _ = told(capsys, path, "--json")

    story = json.loads(out)
    assert status == 0
    assert story["is_same"] is True
    passed = [line["text"] for line in story["story"] if line["what"] == "passed"]
    assert "code_verifier matches the code's challenge [RFC 7636 section 4.6]" in passed
    (changed,) = (line["text"] for line in story["story"] if line["what"] == "changed")
    assert changed.startswith("Require(Client confidential #")
    assert "Replace(AuthorizationCode " in changed
    assert VERIFIER not in out


def test_a_refusal_with_consequences_is_told_like_any_other(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site()
    code = site.code()
    site.redeem(code)
    recorded(site, redemption(code), path)

    _, out, _ = told(capsys, path)

    assert "[RFC 6749 section 4.1.2]: the code was redeemed before; its grant is revoked" in out
    (changed,) = (line for line in out.splitlines() if line.startswith("changed"))
    assert re.fullmatch(r"changed  Replace\(Grant [0-9a-f]{8} active #.... by revoked #....\)", changed)
    assert out.count("refused ") == 1


def test_the_checks_of_an_authorization_request_are_told_in_their_order(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_site()
    recorded(site, Request("GET", site.authorize_target(code_challenge=None, code_challenge_method=None)), path)

    _, out, _ = told(capsys, path)

    passed = [line.removeprefix("passed   ").rpartition(" [")[0] for line in out.splitlines() if "passed" in line]
    expected = [check.name for check in checks_at("authorization", has_openid=False, has_resources=False)]
    refusing = "code_challenge is there where one is due"
    assert [name for name in passed if name in expected] == expected[: expected.index(refusing)]
    assert f"refused  {refusing} [RFC 9700 section 2.1.1]: code_challenge is missing" in out


def test_what_failed_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site()
    request = redemption(site.code())
    site.world = attrs.evolve(site.world, storage=Outage(site.world.storage, at=1))
    recorded(site, request, path)

    status, out, _ = told(capsys, path)

    assert status == 0
    assert "failed   find AuthorizationCode" in out
    assert "answer   503 temporarily_unavailable: Find failed: Down" in out
    assert "refused  " in out


def test_a_decision_that_comes_out_another_way_is_told_and_exits_with_1(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_site()
    trace = recorded(site, redemption(site.code()), path)
    path.write_text(attrs.evolve(trace, clock=[now + 61 for now in trace.clock]).dump(), encoding="utf-8")

    status, out, _ = told(capsys, path)

    assert status == 1
    assert "differs  status: 400; recorded: 200\n" in out
    assert "differs  reason: invalid_grant: the code has expired; recorded: none\n" in out
    assert "differs  effects: 4; recorded: 5\n" in out
    assert out.endswith("replay   another decision than was recorded\n")


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_what_is_no_trace_exits_with_2(text: str, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(text, encoding="utf-8")

    status, _, err = told(capsys, path)

    assert status == 2
    assert err.startswith(f"oauthcore: trace = '{path}': it can't be read: not a trace: it is ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_exits_with_2(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = told(capsys, path)

    assert status == 2
    assert "it can't be read: No such file or directory" in err


def test_a_trace_with_records_that_are_not_known_exits_with_2(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site()
    trace = recorded(site, redemption(site.code()), path)
    effect: Any = {**trace.steps[0].effect}
    effect["fields"] = {**effect["fields"], "kind": {"type": f"{Ticket.__module__}:Ticket"}}
    answer = {"value": f"{Ticket.__module__}:Ticket", "fields": {"key": "a", "expires_at": None}}
    steps = [attrs.evolve(trace.steps[0], effect=effect, answer=answer), *trace.steps[1:]]
    path.write_text(attrs.evolve(trace, steps=steps).dump(), encoding="utf-8")

    status, _, err = told(capsys, path)

    assert status == 2
    assert "which is not a class of the core" in err


def test_the_command_without_its_extra_says_how_to_get_it() -> None:
    program = "import sys; sys.modules['h11'] = None; import oauthcore_h11.cli"

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    last = run.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: h11 is not installed; the command `oauthcore`")
    assert last.endswith('pip install "oauthcore[server]"')


def test_the_command_itself_says_so_in_one_line() -> None:
    started = "import sys; sys.argv = ['/usr/bin/oauthcore', 'db', 'upgrade']; sys.modules['h11'] = None"
    program = f"{started}; from oauthcore_h11.cli import main; main()"

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 2
    assert run.stderr.startswith("oauthcore: h11 is not installed; the command `oauthcore`")
    assert run.stderr.endswith('pip install "oauthcore[server]"\n')
    assert run.stderr.count("\n") == 1


def test_watching_leaves_the_profiler_as_it_was(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site()
    recorded(site, redemption(site.code()), path)
    before = sys.getprofile()

    told(capsys, path)

    assert sys.getprofile() is before


def requests_of(site: Site) -> Iterator[tuple[str, Request]]:
    """Return a request for each endpoint, by the endpoint's name in the tables."""
    caller = basic("confidential", SECRETS["confidential"])
    yield "authorization", Request("GET", site.authorize_target())
    yield "token", redemption(site.code())
    tokens = site.tokens()
    refresh = form(grant_type="refresh_token", refresh_token=tokens["refresh_token"], scope="email")
    yield "token", Request("POST", "/token", (FORM, caller), refresh)
    yield "token", Request("POST", "/token", (FORM, caller), form(grant_type="client_credentials"))
    yield "introspection", Request("POST", "/introspect", (FORM, caller), form(token=tokens["access_token"]))
    yield "revocation", Request("POST", "/revoke", (FORM, caller), form(token=tokens["access_token"]))


def test_the_columns_of_the_tables_say_where_each_check_is_made() -> None:
    site = make_site()
    endpoints = {check.name: check.endpoints for check in ROWS}

    for endpoint, request in requests_of(site):
        witness = Witness()
        witness.watch(partial(run, site.server.handle(request), site.world))
        passed = [observed.name for observed in witness.observed if isinstance(observed, Passed)]
        assert len(passed) > 3, endpoint
        assert [name for name in passed if endpoint not in endpoints[name]] == []


def test_a_check_that_waits_for_a_document_has_not_passed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    def waits() -> None:
        raise DocumentNeeded(Documents(), "https://client.example/jwks", 0, is_key_set)

    def play() -> Response:
        with pytest.raises(DocumentNeeded):
            waits()
        return Response(200)

    witness = Witness()
    monkeypatch.setitem(CHECKS, waits.__code__, Check("the keys are there", waits, "RFC 7523", (), "response", ()))

    witness.watch(play)

    assert witness.observed == []


def test_each_check_is_known_by_a_function_of_its_own() -> None:
    assert len(CHECKS) == len(ROWS) == len({check.name for check in ROWS})
