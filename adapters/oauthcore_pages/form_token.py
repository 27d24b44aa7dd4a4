"""Form tokens: the proof that a form was shown by these pages, in this session, for this interaction.

Without it, another site could sign the user in as another user, or consent in their place.
"""

from __future__ import annotations

import attrs
from itsdangerous import Signer

from oauthcore.errors import AccessDenied
from oauthcore_pages.session import DIGEST_METHOD, KEY_DERIVATION, Session


class ForgedForm(AccessDenied):
    """Raised for a form that these pages did not show in this session.

    `retry_url` shows the page again, if there is a session for it: the user may have signed in
    in another tab since the form was shown.
    """

    description = "The form was not sent from this page, or is out of date: go back to the application and start again."
    retry_url: str | None = None


@attrs.frozen
class FormTokens:
    """Make and check form tokens, which are signed, so that nothing is stored."""

    issuer: str
    _key: bytes = attrs.field(repr=False)

    def make(self, session: Session, handle: str) -> str:
        """Return the token of a form that is shown in a session for an interaction."""
        return self._signer.get_signature(_bound(session, handle)).decode("ascii")

    def check(self, token: str, session: Session | None, handle: str) -> Session:
        """Return the session that the form was shown in; raises `ForgedForm` if it was not."""
        if session is None:
            raise ForgedForm("a form came without a session")
        if not self._signer.verify_signature(_bound(session, handle), token.encode("utf-8", "surrogatepass")):
            raise ForgedForm("a form came without the token of its session")
        return session

    @property
    def _signer(self) -> Signer:
        salt = f"oauthcore_pages.form_token {self.issuer}"
        return Signer(self._key, salt=salt, key_derivation=KEY_DERIVATION, digest_method=DIGEST_METHOD)


def _bound(session: Session, handle: str) -> bytes:
    # An id is base64url and has no space in it, so the two can't be confused.
    return f"{session.id} {handle}".encode("utf-8", "surrogatepass")
