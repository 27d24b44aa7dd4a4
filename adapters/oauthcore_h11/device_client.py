"""A device that logs in, sans-IO but for what it is handed: how to send, how to sleep, how to show (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import attrs

from oauthcore import ConfigurationError, OAuthError, Response, Secret
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.jose.strict_json import is_integer, read_json
from oauthcore.wire.http import Outgoing

FORM = ("Content-Type", "application/x-www-form-urlencoded")
# RFC 8628 section 3.2: what an answer means that names no interval; and by how much slow_down makes it longer.
INTERVAL = SLOWER = 5
# RFC 8628 section 3.5: a server that does not answer is asked less and less often, and for so long at most.
LONGEST_INTERVAL = 120
MAX_ANSWER = 100_000


class LoginFailed(OAuthError):
    """Report why a device got no tokens, in the words of the server."""

    code = "access_denied"
    description = "The device got no tokens."


@attrs.frozen
class Prompt:
    """Hold what a device shows its user."""

    user_code: Secret
    uri: str
    uri_complete: str | None


@attrs.frozen
class DeviceClient:
    """Log in as a public client: `send` returns None where no answer came, `sleep` waits for seconds."""

    issuer: str
    client_id: str
    send: Callable[[Outgoing], Response | None] = attrs.field(repr=False)
    sleep: Callable[[float], object] = attrs.field(repr=False)

    def log_in(
        self, scope: str | None, resources: Sequence[str], show: Callable[[Prompt], object]
    ) -> Mapping[str, Any]:
        """Return the members of the token response; raises `LoginFailed` if there is none."""
        metadata = self._metadata()
        form = {"client_id": self.client_id, **({} if scope is None else {"scope": scope}), "resource": resources}
        codes = self._post(self._endpoint(metadata, "device_authorization_endpoint"), form)
        if codes is None or not {"device_code", "user_code", "verification_uri"} <= codes.keys():
            raise LoginFailed(_problem(codes, "the device authorization endpoint gave no codes"))
        show(
            Prompt(
                Secret(_printable(codes["user_code"])),
                _printable(codes["verification_uri"]),
                _printable(codes["verification_uri_complete"]) if "verification_uri_complete" in codes else None,
            )
        )
        return self._poll(self._endpoint(metadata, "token_endpoint"), codes)

    def _poll(self, endpoint: str, codes: Mapping[str, Any]) -> Mapping[str, Any]:
        form = {"grant_type": DEVICE_CODE, "device_code": str(codes["device_code"]), "client_id": self.client_id}
        interval, left = _seconds(codes.get("interval"), INTERVAL), _seconds(codes.get("expires_in"), 600)
        while left > 0:
            self.sleep(interval)
            left -= interval
            answer = self._post(endpoint, form)
            if answer is None:
                interval = min(2 * interval, LONGEST_INTERVAL)
            elif "access_token" in answer:
                return answer
            elif answer.get("error") == "slow_down":
                interval += SLOWER
            elif answer.get("error") != "authorization_pending":
                raise LoginFailed(_problem(answer, "the token endpoint gave no tokens"))
        raise LoginFailed("expired_token: nobody has entered the code in time")

    def _metadata(self) -> Mapping[str, Any]:
        parts = urlsplit(self.issuer)
        path = parts.path.rstrip("/")
        root = f"{parts.scheme}://{parts.netloc}"
        # RFC 8414 section 3.1, OIDC Discovery section 4.
        for place in (
            f"{root}/.well-known/oauth-authorization-server{path}",
            f"{root}{path}/.well-known/openid-configuration",
        ):
            found = self._read(self.send(Outgoing("GET", place, max_size=MAX_ANSWER)))
            if found is None:
                continue
            # RFC 8414 section 3.3: otherwise another issuer could have the device's tokens sent to it.
            if found.get("issuer") != self.issuer:
                remedy = (
                    f"its metadata is of {_printable(found.get('issuer'))}; give the issuer exactly as it names itself"
                )
                raise ConfigurationError("issuer", self.issuer, remedy)
            return found
        raise ConfigurationError("issuer", self.issuer, "there is no metadata at it; start it, or give another")

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        url = metadata.get(name)
        if not isinstance(url, str):
            raise ConfigurationError(
                "issuer", self.issuer, f"its metadata names no {name}: turn its device grant on, or give another"
            )
        # RFC 8628 section 3.1: by TLS. Otherwise an eavesdropper has the device code, and then the tokens.
        if self.issuer.startswith("https://") and not url.startswith("https://"):
            remedy = f"its {name} is not https: {_printable(url)}; have its operator change that"
            raise ConfigurationError("issuer", self.issuer, remedy)
        return url

    def _post(self, url: str, form: Mapping[str, str | Sequence[str]]) -> Mapping[str, Any] | None:
        body = urlencode(form, doseq=True).encode()
        return self._read(self.send(Outgoing("POST", url, (FORM,), body, MAX_ANSWER)))

    def _read(self, response: Response | None) -> Mapping[str, Any] | None:
        """Return the members of an answer; None for none, and for what is no JSON object."""
        if response is None or response.status >= 500 or response.status == 404:
            return None
        try:
            members = read_json(response.body)
        except ValueError:
            return None
        return members if isinstance(members, dict) else None


def _seconds(value: object, default: int) -> int:
    return value if is_integer(value) and value > 0 else default


def _problem(answer: Mapping[str, Any] | None, otherwise: str) -> str:
    """Return what a server said was wrong; it may be anybody's, and goes to a terminal."""
    if answer is None or "error" not in answer:
        return otherwise
    said = f"{answer['error']}: {answer.get('error_description', '')}"
    return _printable(said).rstrip(": ")


def _printable(value: object) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:500])
