"""docs/client-id-metadata.md says what is true: its code runs, and its document makes a client."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import attrs

from oauthcore import Client, ClientIdMetadata, Outgoing, Request, Response, run
from oauthcore.clients.document_clients import RETRY_AFTER, SPARE, STALE_IF_ERROR
from oauthcore.clients.metadata_document import MAX_DOCUMENT
from oauthcore.documents import HOST_BUDGET
from oauthcore.records.liveness import WITHDRAWN_FOR

PAGE = (Path(__file__).parent.parent / "docs" / "client-id-metadata.md").read_text(encoding="utf-8")
PROSE = " ".join(PAGE.split())


def block(language: str) -> str:
    """Return the one block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_document_of_the_page_makes_a_client_of_the_server_of_the_page() -> None:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "client-id-metadata.md", "exec"), names)
    document = json.loads(block("json"))
    url = document["client_id"]

    def fetch(request: Outgoing) -> Response:
        """Be the host of the document."""
        assert request.url == url
        return Response(200, (("Content-Type", "application/json"),), json.dumps(document).encode())

    world = attrs.evolve(names["world"], fetch=fetch)
    query = f"client_id={url}&redirect_uri={document['redirect_uris'][0]}&response_type=code"
    query += f"&code_challenge={'a' * 43}&code_challenge_method=S256"
    response = run(names["server"].handle(Request("GET", f"/authorize?{query}")), world)
    client = run(names["server"].clients.find(url), world)

    assert response.status == 303
    assert isinstance(client, Client)
    assert client.scope.text == "email files:read"


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    on = ClientIdMetadata()

    assert f"says: {on.min_fresh} and {on.max_fresh}" in PROSE
    assert f"by each process: {on.new_per_minute}" in PROSE
    assert f"asked for {HOST_BUDGET} documents a minute" in PROSE
    assert (MAX_DOCUMENT, RETRY_AFTER, SPARE, STALE_IF_ERROR, WITHDRAWN_FOR) == (10_240, 60, 30 * 86_400, 600, 3_600)
