"""Instruments: what a server computes with, beside its effects.

A decision is made from a request, facts from storage, and these: time, randomness, digests, keys. They are one value,
so that a recorder or a replay can pass another one. This module does not know the recorder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from oauthcore.clock import Clock
from oauthcore.context import SignJwt
from oauthcore.digest import Derivation, Digester
from oauthcore.documents import UNVERIFIED_BUDGET, Documents
from oauthcore.entropy import Entropy
from oauthcore.extra_claims import ExtraClaims
from oauthcore.flow.effects import Flow
from oauthcore.handle import Handles
from oauthcore.jose.crypto import Verify, VerifyOwnKey, verify, verify_own_key
from oauthcore.sealing import Sealing
from oauthcore.signing.keys import KeySet, signing
from oauthcore.wire.http import Response


@attrs.frozen(kw_only=True)
class Instruments:
    """Hold what one server computes with; `AuthorizationServer.with_instruments` takes another one.

    `documents` remember what other servers said that the operator's clients name, `unverified_documents` what those did
    that strangers name, and `client_documents` which clients' documents could not be had. `keys` are where the server's
    signing keys come from, None if it signs nothing, and `signing` makes what has a token signed with them at a second.
    `extra_claims` is the host's function that adds claims to tokens, None if there is none.
    `record` is handed each `Call` that a host makes, carries it out and returns its response; None costs one
    comparison.
    """

    clock: Clock
    entropy: Entropy
    digest: Digester
    derive: Derivation
    handles: Handles
    sealing: Sealing
    keys: KeySet | None
    documents: Documents = attrs.field(factory=Documents)
    client_documents: Documents = attrs.field(factory=Documents)
    unverified_documents: Documents = attrs.field(factory=lambda: Documents(new_budget=UNVERIFIED_BUDGET))
    verify: Verify = verify
    verify_own_key: VerifyOwnKey = verify_own_key
    signing: Callable[[KeySet | None, int], SignJwt] = signing
    extra_claims: ExtraClaims | None = None
    record: Callable[[Call], Flow[Response]] | None = None


@attrs.frozen(kw_only=True)
class Call:
    """Describe one call of a host, for `Instruments.record`; the request and the handle contain secrets.

    `answer` runs it with the given instruments. `arguments` are those of the method called `name`; `settings` are the
    values with which the server was created, `metadata` is the document that it publishes. `is_known` is true if the
    server has an endpoint at the path of the request.
    """

    name: Literal["handle", "finish", "deny"]
    arguments: Mapping[str, Any] = attrs.field(repr=False)
    instruments: Instruments
    settings: Mapping[str, object]
    metadata: bytes
    answer: Callable[[Instruments], Flow[Response]]
    is_known: bool = True
