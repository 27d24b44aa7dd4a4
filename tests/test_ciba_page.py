"""The page on CIBA: its code runs, from the request to the user's answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from oauthcore import Request, run
from tests.core.site import form

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
