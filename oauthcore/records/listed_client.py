"""That there is a client, so that all of them can be found."""

from __future__ import annotations

import attrs

LISTED = "clients"


@attrs.frozen(kw_only=True)
class ListedClient:
    """Remember that a client is registered, so that all of them can be listed: they have one `subject` in common."""

    client_id: str
    registered_at: int
    expires_at: int | None = None
    subject: str = LISTED

    @property
    def key(self) -> str:
        """Return the client's identifier."""
        return self.client_id
