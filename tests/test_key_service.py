"""The example of keys elsewhere: its process signs what the server's clients verify."""

from __future__ import annotations

import runpy
from pathlib import Path

from oauthcore import Client, Request, Secret, run
from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set
from tests.core.site import FORM, basic, form, members

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLE = DOCS / "examples" / "key_service.py"


def test_the_page_shows_the_example() -> None:
    page = (DOCS / "embedding.md").read_text(encoding="utf-8")

    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```" in page


def test_tokens_are_signed_by_a_key_that_is_in_another_process() -> None:
    names = runpy.run_path(str(EXAMPLE))
    service = names["KeyService"]()
    try:
        server, world = names["signing_server"](service)
        client = Client(
            client_id="machine",
            grant_types=("client_credentials",),
            response_types=(),
            access_token_format="jwt",
            id_token_signed_response_alg="ES256",
        )
        run(server.clients.register(client, Secret("a secret of the machine's own")), world)
        header = basic("machine", "a secret of the machine's own")
        request = Request("POST", "/token", (FORM, header), form(grant_type="client_credentials"))

        answer = members(run(server.handle(request), world))

        published = parse_set(run(server.handle(Request("GET", "/jwks")), world).body)
        assert crypto.verify(answer["access_token"], published, ["ES256"]).claims["client_id"] == "machine"
        assert not any(key.is_private for key in published)
    finally:
        service.close()
