"""Grants: what may be exchanged for tokens, one file a grant type.

A grant is one function, `(request, context) -> Flow[Outcome]`, found in a table under its `grant_type`; the token
endpoint has authenticated the caller and seen that it is registered for the type.

A grant may have a method `identify(parameters, context) -> Flow[Authenticated]`: it is called for a request that shows
nothing of a client, where what is exchanged tells which client is calling.
"""

from __future__ import annotations

from collections.abc import Callable

from oauthcore.context import Context
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Outcome
from oauthcore.grants.token_request import TokenRequest

GrantFlow = Callable[[TokenRequest, Context], Flow[Outcome]]
