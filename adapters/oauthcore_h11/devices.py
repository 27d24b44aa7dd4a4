"""Known devices: browsers from which an account was signed in to before, and which attacks on it do not delay.

An attacker who guesses at an account from enough addresses delays everybody who tries it, its owner too. So a login
leaves a signed cookie in the browser. It is not a credential: attempts with it only have a counter of their own, so a
stolen one gives a thief as many guesses as one more address would. It is bound to the account and its password: after a
change of the password, earlier cookies are invalid.
"""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
from itsdangerous import BadData, URLSafeSerializer

from oauthcore import Request
from oauthcore.clock import Clock
from oauthcore.entropy import Entropy, mint
from oauthcore.wire.parameters import cookies_named
from oauthcore_pages.session import cookie_name

# Enough for one household; beyond it, the user who signed in first counts as unknown again.
MOST_ACCOUNTS = 5


@attrs.frozen
class Devices:
    """Read and write the cookies. One counts for `lifetime` seconds from its sign-in; with 0 there are none.

    What is in a cookie can be read, so accounts are named in it by a digest alone.
    """

    issuer: str
    clock: Clock
    entropy: Entropy
    lifetime: int
    _key: bytes = attrs.field(repr=False)

    def known(self, request: Request) -> dict[str, tuple[str, int]]:
        """Return the accounts that have signed in with a browser, each with the cookie's identifier and when it was."""
        values = cookies_named(request, self._cookie_name)
        # Two cookies of one name: another host of the domain may have planted one.
        if not self.lifetime or len(values) != 1:
            return {}
        try:
            entries: list[Any] = self._serializer.loads(values[0])
        except BadData:
            return {}
        last = self.clock() - self.lifetime
        return {account: (identifier, since) for account, identifier, since in entries if since > last}

    def cookie(self, request: Request, account: str) -> tuple[str, str]:
        """Return the header that has the browser known for one account more, and for those it was known for."""
        name = self.name_of(account)
        before = {other: entry for other, entry in self.known(request).items() if other != name}
        # A new identifier, so that a cookie that was copied before has no part in the attempts of this one.
        entries = [[name, mint(self.entropy).reveal(), int(self.clock())]]
        entries += [[other, *entry] for other, entry in before.items()][: MOST_ACCOUNTS - 1]
        # Strict: it is only ever needed with the form of our own page.
        attributes = f"; Path=/; HttpOnly; SameSite=Strict; Max-Age={self.lifetime}"
        secure = "; Secure" if self._is_secure else ""
        return ("Set-Cookie", f"{self._cookie_name}={self._serializer.dumps(entries)}{attributes}{secure}")

    def name_of(self, account: str) -> str:
        """Return what an account is called in a cookie."""
        text = f"device\0{self.issuer}\0{account}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=16).hexdigest()

    @property
    def _is_secure(self) -> bool:
        return self.issuer.startswith("https:")

    @property
    def _cookie_name(self) -> str:
        return cookie_name("oauthcore-device", self.issuer)

    @property
    def _serializer(self) -> URLSafeSerializer:
        signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self._key, salt=f"oauthcore_h11.devices {self.issuer}", signer_kwargs=signer)


class Browser:
    """The browser that one request came from: which accounts it is known for, and is to be known for from now on."""

    def __init__(self, devices: Devices, request: Request) -> None:
        self._devices = devices
        self._request = request
        self._signed_in: str | None = None

    def device_for(self, account: str) -> str | None:
        """Return the identifier under which it is known for an account, None if it is not."""
        entry = self._devices.known(self._request).get(self._devices.name_of(account))
        return None if entry is None else entry[0]

    def remember(self, account: str) -> None:
        """Record a login to an account."""
        self._signed_in = account

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return what the answer says to the browser."""
        if self._signed_in is None or not self._devices.lifetime:
            return ()
        return (self._devices.cookie(self._request, self._signed_in),)
