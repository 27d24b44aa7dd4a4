"""`oauthcore device-login`: play a device in the terminal, at any issuer (RFC 8628)."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from oauthcore import ConfigurationError, Response
from oauthcore.wire.http import Outgoing
from oauthcore_h11.cli.options import Identifier, Json, say
from oauthcore_h11.device_client import DeviceClient, Prompt


def device_login(
    issuer: str,
    /,
    *,
    client_id: Identifier = "device_client",
    scope: str | None = None,
    resource: tuple[str, ...] = (),
    qr: Annotated[bool, Parameter(negative="--no-qr")] = True,
    ca_file: Path | None = None,
    as_json: Json = False,
) -> None:
    """Play a device in the terminal: show a code, wait until its user has answered, and print the tokens.

    Works with any authorization server whose metadata names a device authorization endpoint (RFC 8628).

    Parameters
    ----------
    issuer
        The issuer, as clients are configured with it.
    client_id
        A public client that is registered for devices; the demo's if left out.
    scope
        What to ask for.
    resource
        An API that the tokens are to be for (RFC 8707).
    qr
        Draw the address as a QR code, for a phone; this takes pip install segno.
    ca_file
        Certificates to trust besides the system's, in PEM.
    """
    # Imported when they are needed, as each command is.
    from oauthcore_fetch import Fetcher, FetchFailed

    host = urlsplit(issuer).hostname
    if not host:
        raise ConfigurationError("issuer", issuer, "give the issuer's URL, as in https://as.example")
    fetcher = Fetcher(allow=(host,), ca_file=ca_file)

    def send(request: Outgoing) -> Response | None:
        try:
            return fetcher.send(request)
        except FetchFailed:
            return None

    client = DeviceClient(issuer, client_id, send=send, sleep=time.sleep)
    tokens = client.log_in(scope, resource, lambda prompt: _show(prompt, qr=qr, as_json=as_json))
    say(tokens, "\n".join(f"{name}: {value}" for name, value in tokens.items()), as_json=as_json)


def _show(prompt: Prompt, *, qr: bool, as_json: bool) -> None:
    """Tell a person where to go; on standard error, so that the output is the tokens alone."""
    if not as_json and qr:
        _draw(prompt.uri_complete or prompt.uri)
    lines = f"Open {prompt.uri} and enter the code {prompt.user_code.reveal()}\n"
    sys.stderr.write(lines)
    sys.stderr.flush()


def _draw(uri: str) -> None:
    try:
        import segno
    except ImportError:
        return
    segno.make(uri, error="l", micro=False).terminal(out=sys.stderr, compact=True)
