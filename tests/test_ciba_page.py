"""The page on CIBA: its code runs, from the request to the user's answer."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from oauthcore import Ciba, Client, Request, run
from oauthcore.ciba import GRANT_TYPE
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Insert
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore_h11.assembly import ciba_of
from oauthcore_h11.request_hook import request_hook_of
from tests.core.site import form
from tests.h11.test_cli import Shell, shell, stored
from tests.h11.test_configuration import reading
from tests.h11.test_oidc import LEAST

__all__ = ["shell"]

PAGE = (Path(__file__).parent.parent / "docs" / "ciba.md").read_text(encoding="utf-8")


def test_its_code_runs_and_the_client_gets_its_tokens() -> None:
    names: dict[str, Any] = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for block in blocks:
        exec(block, names)  # it is our own page
    server, world = names["server"], names["world"]
    identifier = json.loads(names["answer"].body)["auth_req_id"]
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    body = form(
        grant_type=names["GRANT_TYPE"],
        auth_req_id=identifier,
        client_id="till",
        client_secret="a secret of the till's own",
    )

    answer = run(server.handle(Request("POST", "/token", headers, body)), world)

    assert len(blocks) == 3
    assert answer.status == 200
    assert {"access_token", "id_token"} <= json.loads(answer.body).keys()


def test_what_it_says_of_the_reference_server_s_file_is_so(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    configuration = reading(tmp_path, LEAST + text)

    hook = request_hook_of(configuration)

    assert ciba_of(configuration) == Ciba(lifetime=120, require_binding_message=True)
    assert hook is not None
    assert (hook.url, hook.page) == ("https://push.example/ciba", "https://as.example/requests")


def test_its_commands_register_clients(shell: Shell) -> None:
    file = Path("oauthcore.toml")
    file.write_text(file.read_text() + "\n[oidc]\n[ciba]\n")
    commands = re.findall(r"\$ oauthcore (client add (?:.*\\\n)*.*)\n", PAGE)

    for command in commands:
        assert shell.ask(*shlex.split(command.replace("\\\n", "")))["client_id"] in {"till", "shop"}

    assert len(commands) == 2
    shown = shell.ask("client", "show", "shop")
    assert shown["backchannel_token_delivery_mode"] == "ping"
    assert shown["backchannel_client_notification_endpoint"] == "https://shop.example/notified"
    assert shell.ask("client", "show", "till")["grant_types"] == [GRANT_TYPE]


def test_an_operator_sees_what_waits_for_a_user(shell: Shell) -> None:
    file = Path("oauthcore.toml")
    file.write_text(file.read_text() + "\n[oidc]\n[ciba]\n")
    shell.ask("user", "add", "alice", "--subject", "s-1", typed="wonderland\n")
    shell.ask("client", "add", "till", "--grant-type", GRANT_TYPE, "--scope", "openid", "--ciba-delivery-mode", "poll")
    assert shell.ask("user", "requests", "alice") == []
    client = stored(lambda storage: storage.find(Client, "till"))
    waiting = BackchannelRequest(
        key=Digest("a" * 64),
        subject="s-1",
        client_id="till",
        request=AuthorizationRequest(client_id="till", scope="openid"),
        requested_at=1_800_000_000,
        answer_before=4_000_000_000,
        expires_at=4_000_000_300,
        interval=5,
        binding_message="W4SCT",
        client_generation=client.generation,
    )
    assert stored(lambda storage: storage.commit([Insert(waiting)]))

    (row,) = shell.ask("user", "requests", "alice")

    assert (row["client_id"], row["scope"], row["binding_message"]) == ("till", "openid", "W4SCT")
    assert row["requested_at"] == "2027-01-15T08:00:00Z"
    assert "there is no such user" in shell.run("user", "requests", "bob", status=2)
