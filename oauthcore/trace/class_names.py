"""What a trace calls a class: by names that stay while the core's modules move, so that older traces can be read."""

from __future__ import annotations

from importlib import import_module

# The name that the trace format has for what is defined in a module, where that is not the module's own.
_FORMAT = {
    "oauthcore.flow.effects": "oauthcore.effects",
    "oauthcore.flow.outcome": "oauthcore.outcome",
    "oauthcore.jose.compact": "oauthcore.compact",
    "oauthcore.jose.jwk": "oauthcore.jwk",
    "oauthcore.jose.jwt": "oauthcore.jwt",
    "oauthcore.records.client": "oauthcore.client",
    "oauthcore.records.grant": "oauthcore.records",
    "oauthcore.records.interaction": "oauthcore.records",
    "oauthcore.records.key_ring": "oauthcore.records",
    "oauthcore.records.lifecycle": "oauthcore.lifecycle",
    "oauthcore.records.listed_client": "oauthcore.records",
    "oauthcore.records.login": "oauthcore.login",
    "oauthcore.records.token": "oauthcore.records",
    "oauthcore.signing.key_ring": "oauthcore.key_ring",
    "oauthcore.signing.keys": "oauthcore.keys",
    "oauthcore.wire.http": "oauthcore.http",
}
# What the trace format calls a class that has another name in the code by now.
_QUALNAME = {"Throttled": "TryLater"}


def name_of(kind: type) -> str:
    """Return what a trace calls a class."""
    module = _FORMAT.get(kind.__module__, kind.__module__)
    return f"{module}:{_QUALNAME.get(kind.__qualname__, kind.__qualname__)}"


def find_class(name: str) -> object:
    """Return what a trace names of the core's own, whatever it is: None for what is not there.

    Raises `ImportError` for a module that is not there either.
    """
    module, _, qualname = name.partition(":")
    places = [place for place, said in _FORMAT.items() if said == module] or [module]
    qualname = next((name for name, said in _QUALNAME.items() if said == qualname), qualname)
    found = (getattr(import_module(place), qualname, None) for place in places)
    return next(filter(None, found), None)
