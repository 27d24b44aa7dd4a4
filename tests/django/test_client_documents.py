"""A client that says what it is in a document, through Django's views and over its database."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpResponseBase
from django.test import RequestFactory

from oauthcore import Client, World, run
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth
from tests.core.clients.publishing import CALLBACK, ON, WEB, Hosts
from tests.core.site import VERIFIER, challenge_of


def parameters(response: HttpResponseBase) -> dict[str, str]:
    """Return the parameters of where a response redirects to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def test_a_client_with_a_document_gets_tokens_and_is_known_to_the_next_process_without_a_fetch() -> None:
    hosts, storage = Hosts(), DjangoStorage(partition="documents")
    made = [
        OAuth.at(
            "https://as.example",
            World(storage, fetch=hosts),
            bytes(32),
            interaction="/consent",
            login=lambda _: None,
            client_id_metadata=ON,
        )
        for _ in range(2)
    ]
    one, other = (oauth.urls[0].callback for oauth in made)
    sent = {
        "client_id": WEB,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "email",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }

    browser = RequestFactory()
    started = one(browser.get(f"/authorize?{urlencode(sent)}", secure=True))
    (cookie,) = started.cookies.values()
    browser.cookies[cookie.key] = cookie.value
    handle = parameters(started)["interaction"]
    finished = run(made[0].server.interactions.finish(handle, "alice", ["email"]), made[0].world)
    resumed = one(browser.get(finished.header("location") or "", secure=True))
    redeemed = {
        "grant_type": "authorization_code",
        "client_id": WEB,
        "code": parameters(resumed)["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    answer = other(browser.post("/token", urlencode(redeemed), "application/x-www-form-urlencoded"))

    assert json.loads(answer.content)["scope"] == "email"
    assert hosts.asked == [WEB]
    client = storage.find(Client, WEB)
    assert client is not None
    assert client.document is not None
    assert not client.document.is_unused
