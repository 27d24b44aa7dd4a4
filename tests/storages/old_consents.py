"""Consents as they were stored when one was remembered for all resources of a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauthcore.digest import Digest
from oauthcore.flow.outcome import Delete, Insert, Replace
from oauthcore.flow.storage import Storage
from oauthcore.records.grant import Consent
from oauthcore.scope import Scope
from oauthcore.storage import codec

ONE, SEVERAL = ["https://api.example"], ["https://a.example", "https://b.example"]


class _Earlier:
    """Write records as the earlier version did."""

    def __init__(self, resources: list[str]) -> None:
        self._resources = resources

    def unstructure(self, record: Consent) -> dict[str, Any]:
        """Return the members that were written."""
        members: dict[str, Any] = codec._CONVERTER.unstructure(record)
        return {**members, "resources": self._resources}


def old_consent_is_read_replaced_and_withdrawn(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store one of each form, and do with them what the account page and a new consent do."""
    for key, resources in (("1", ONE), ("2", SEVERAL)):
        consent = Consent(
            key=Digest(key * 64),
            client_id="app",
            subject="alice",
            scope=Scope(("email",)),
            granted_at=1,
            expires_at=None,
        )
        earlier = _Earlier(resources)
        with monkeypatch.context() as patch:
            members = earlier.unstructure(consent)
            text = json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            patch.setattr(codec, "_spell", lambda _, text=text: text)
            assert storage.commit([Insert(consent)])

    found = sorted(storage.find_of(Consent, "alice"), key=lambda consent: consent.key)

    assert [(consent.resource, consent.expires_at) for consent in found] == [("https://api.example", None), (None, 0)]
    renewed = Consent(
        key=found[1].key, client_id="app", subject="alice", scope=Scope(("email",)), granted_at=2, expires_at=None
    )
    assert storage.commit([Replace(found[1], renewed), Delete(found[0])])
    assert list(storage.find_of(Consent, "alice")) == [renewed]
    assert storage.commit([Delete(renewed)])
