"""What mozilla-django-oidc and MSAL make of a server: reads cases, and says why each fails. A program of its own.

Django has one configuration in a process, and neither library may ask the network.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any


class Answer:
    """Be a response, as both libraries read one."""

    def __init__(self, status: int, body: str) -> None:
        self.status_code = status
        self.text = body
        self.headers: dict[str, str] = {}

    def raise_for_status(self) -> None:
        """Raise for an error."""
        if self.status_code >= 400:
            raise ConnectionError(f"{self.status_code}")

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.text)


class Prepared:
    """Answer by URL, as an HTTP client does."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self._answers = answers

    def get(self, url: str, **_: object) -> Answer:
        """Return what was prepared."""
        answer = self._answers.get(url, {"status": 404, "body": ""})
        return Answer(answer["status"], answer["body"])


def ask_as_msal(issuer: str, http: Prepared) -> None:
    """Configure an application with the issuer as its authority."""
    import msal

    msal.ConfidentialClientApplication("app", client_credential="s", oidc_authority=issuer, http_client=http)


def ask_as_django(metadata: dict[str, str], http: Prepared, token: str) -> None:
    """Configure the backend as its documentation says, and look for the key of a token."""
    from django.test import override_settings
    from mozilla_django_oidc import auth

    auth.requests = http
    named = {"TOKEN": "token_endpoint", "USER": "userinfo_endpoint", "JWKS": "jwks_uri"}
    settings = {f"OIDC_OP_{name}_ENDPOINT": metadata[member] for name, member in named.items() if member in metadata}
    with override_settings(OIDC_RP_CLIENT_ID="app", OIDC_RP_CLIENT_SECRET="s", OIDC_RP_SIGN_ALGO="RS256", **settings):
        auth.OIDCAuthenticationBackend().retrieve_matching_jwk(token)


def main() -> None:
    """Read cases from standard input, and write what became of them."""
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
    django.setup()
    said: dict[str, dict[str, str | None]] = {}
    for name, case in json.load(sys.stdin).items():
        http = Prepared(case["answers"])
        said[name] = {"msal": None, "django": None}
        for client, ask in (
            ("msal", partial(ask_as_msal, case["issuer"], http)),
            ("django", partial(ask_as_django, case["metadata"], http, case["token"])),
        ):
            try:
                ask()
            except Exception as error:
                said[name][client] = f"{type(error).__name__}: {error}"
    print(json.dumps(said))


if __name__ == "__main__":
    main()
