"""Values that are made at each request: frozen for the type checker and the tests, plain at run time.

A frozen attrs value sets each field through `object.__setattr__`, which takes three times as long as the plain
assignment that nothing frozen allows. So these are held to it in ways that cost a request nothing: the type checker
refuses an assignment, a rule of `tests/house` finds what the type checker can't see, and `nox -s full` runs with values
that really are frozen. What an embedder makes once and keeps (`Client`, `Login`, `Policy`) is an `attrs.frozen` value.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from attrs import frozen as per_request
else:
    # Equal and hashable as a frozen value is. Where a converter is, it is for what is given, as nothing is assigned.
    per_request = partial(attrs.define, unsafe_hash=True, on_setattr=attrs.setters.NO_OP)

__all__ = ["per_request"]
