"""A server that is told to keeps a trace of each decision, and `oauthcore replay` tells the story of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlencode

import attrs
import httpx
import pytest

from oauthcore import ConfigurationError, Request, run
from oauthcore.trace import Recorder, Trace, replay
from oauthcore_h11.cli.replay import KINDS
from oauthcore_h11.traces import TraceFolder, traced
from tests.core.site import CHALLENGE, VERIFIER, make_site
from tests.h11.installation import Installation
from tests.h11.person import Person, query_of

CALLBACK = "https://app.example/cb"


def a_trace(path: str = "/nowhere") -> Trace:
    """Record a request."""
    site, traces = make_site(), list[Trace]()
    run(Recorder(traces.append).recorded(site.server).handle(Request("GET", path)), site.world)
    return traces[0]


@pytest.mark.slow
def test_each_decision_of_a_server_is_a_file_that_can_be_replayed(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure("[logs]", 'traces = "traces"', "[oidc]")
    refusal = installation.run("check", status=2)
    assert "logs.traces" in refusal
    assert "make it a folder that the server may write to" in refusal
    (tmp_path / "traces").mkdir()
    app = installation.ask("client", "add", "app", "--redirect-uri", CALLBACK, "--scope", "openid")
    installation.run("user", "add", "admin", said="admin\n")
    auth = ("app", app["client_secret"])

    with installation.serving() as server, Person(server.url) as person:
        asked = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid", "state": "s"}
        asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        code = query_of(person.open("/authorize?" + urlencode(asked)))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            refused = client.post("/token", data=form, auth=("app", "wrong"))
            tokens = client.post("/token", data=form, auth=auth).json()
            client.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
            client.get("/jwks")

    files = sorted((tmp_path / "traces").iterdir(), key=lambda file: file.name.split("-")[2])
    traces = [Trace.load(file.read_text(encoding="utf-8")) for file in files]
    asked_for = [
        trace.request["target"].partition("?")[0] if trace.call == "handle" else trace.call for trace in traces
    ]
    assert asked_for == [
        *("/authorize", "finish", "finish", "/authorize/resume"),
        *("/token", "/token", "/userinfo", "/jwks"),
    ]
    assert [replay(trace, kinds=KINDS).differences for trace in traces] == [()] * 8
    assert refused.status_code == 401
    assert files[-4].name.endswith("-token-401.json")
    story = installation.run("replay", f"traces/{files[-4].name}")
    assert "\nrefused  " in story
    assert story.endswith("replay   the same decision\n")
    assert installation.run("replay", f"traces/{files[1].name}").startswith("asked    server.finish at 20")
    secrets = {app["client_secret"], code, VERIFIER, *(tokens[name] for name in ("access_token", "id_token"))}
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert [secret for secret in secrets if secret in text] == []
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_oldest_go_when_there_are_many(tmp_path: Path) -> None:
    save, trace = TraceFolder(tmp_path, kept=10), a_trace()

    for second in range(25):
        save(attrs.evolve(trace, clock=[float(second)]))

    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 10
    assert names[0].startswith("19700101T000015Z-")


@pytest.mark.parametrize("path", ["/", "/../../etc/passwd", "/a/TOKEN%2f..", "/" + "x" * 500, "/%00"])
def test_no_path_leads_out_of_the_folder(path: str, tmp_path: Path) -> None:
    TraceFolder(tmp_path)(a_trace(path))

    (file,) = tmp_path.rglob("*")
    assert file.parent == tmp_path


def test_what_can_not_be_written_is_told_to_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    TraceFolder(tmp_path / "nowhere")(a_trace())

    assert "a trace was not kept: " in caplog.text
    assert "No such file or directory" in caplog.text


def test_a_folder_that_is_none_is_refused_and_none_at_all_leaves_the_server_as_it_is(tmp_path: Path) -> None:
    server = make_site().server

    assert traced(server, None) is server
    with pytest.raises(ConfigurationError, match=r"logs\.traces"):
        traced(server, tmp_path / "file")
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(ConfigurationError, match=r"logs\.traces"):
            traced(server, tmp_path)
