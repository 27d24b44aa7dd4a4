"""Names of classes in traces. They stay when a module of the core moves, so that older traces can be read."""

from __future__ import annotations

from importlib import import_module

# Module names in the trace format, where they differ from the module that defines the class today.
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
# Classes whose name in the trace format differs from their name in the code.
_QUALNAME = {"Throttled": "TryLater"}


def name_of(kind: type) -> str:
    """Return the name of a class in the trace format."""
    module = _FORMAT.get(kind.__module__, kind.__module__)
    return f"{module}:{_QUALNAME.get(kind.__qualname__, kind.__qualname__)}"


def find_class(name: str) -> object:
    """Return the object of the core with this name in the trace format; None if its module has no such object.

    Raises `ImportError` if the module does not exist.
    """
    module, _, qualname = name.partition(":")
    places = [place for place, said in _FORMAT.items() if said == module] or [module]
    qualname = next((name for name, said in _QUALNAME.items() if said == qualname), qualname)
    found = (getattr(import_module(place), qualname, None) for place in places)
    return next(filter(None, found), None)
