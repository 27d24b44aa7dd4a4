"""Grants: what may be exchanged for tokens, one file a grant type.

A grant is one function, `(caller, parameters, context) -> Flow[Outcome]`, found in a table under its `grant_type`; the
token endpoint has authenticated the caller and seen that it is registered for the type.
"""

from __future__ import annotations

from collections.abc import Callable

from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Outcome
from oauthcore.wire.parameters import Parameters

GrantFlow = Callable[[Authenticated, Parameters, Context], Flow[Outcome]]
