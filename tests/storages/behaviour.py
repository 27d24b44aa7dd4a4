"""The core's own tests, each of them again over a storage that is not memory.

A test module of a storage says `globals().update(suites(BEHAVIOUR, pytest.mark.once))`, or `suites(INTERLEAVINGS)`, and
has a fixture `emptied`: a function that gives an empty storage whenever it is called, and leaves the one that it gave
before as it is. There is then a class for each module of the core's, named like it.

What holds for all inputs alike (hypothesis) is of decisions, not of what they are kept in, and is left out. So are all
parameters but the first of a test that is marked `once`, and what looks into memory itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.fixtures import FixtureFunctionDefinition

from oauthcore import run
from oauthcore.testing import Factory
from tests.core import (
    site,
    test_consent_interleavings,
    test_extension_records,
    test_interleavings,
    test_sign_in_interleavings,
    test_withdrawal_interleavings,
)
from tests.core.ciba import test_ciba_interleavings, test_limits, test_ping, test_polling
from tests.core.clients import (
    test_assertion_interleavings,
    test_management_interleavings,
    test_moved_issuer,
    test_private_key_jwt,
    test_registration,
)
from tests.core.devices import test_device, test_device_code, test_device_interleavings
from tests.core.endpoints import (
    test_applications,
    test_authorization,
    test_interaction,
    test_introspection,
    test_resume,
    test_revocation,
    test_token,
)
from tests.core.grants import (
    test_authorization_code,
    test_client_credentials,
    test_custom_grant,
    test_password,
    test_product_interleavings,
    test_refresh_token,
)
from tests.core.oidc import (
    test_logout,
    test_logout_delivery,
    test_logout_interleavings,
    test_requests,
    test_sessions,
    test_userinfo,
)
from tests.core.pushed import test_pushed_interleavings

BEHAVIOUR: Sequence[ModuleType] = (
    *(test_applications, test_authorization, test_interaction, test_introspection, test_resume, test_revocation),
    *(test_token, test_authorization_code, test_client_credentials, test_custom_grant, test_password),
    *(test_refresh_token, test_private_key_jwt, test_registration),
    *(test_logout, test_logout_delivery, test_requests, test_sessions, test_userinfo),
    *(test_device, test_device_code, test_limits, test_ping, test_polling),
)
INTERLEAVINGS: Sequence[ModuleType] = (
    *(test_interleavings, test_assertion_interleavings, test_logout_interleavings),
    *(test_withdrawal_interleavings, test_consent_interleavings, test_sign_in_interleavings),
    *(test_management_interleavings, test_moved_issuer, test_extension_records),
    *(test_device_interleavings, test_pushed_interleavings, test_ciba_interleavings, test_product_interleavings),
)

LOOK_INTO_MEMORY = {
    "test_one_issuers_token_is_inactive_at_another_over_the_same_storage",
    "test_who_is_asked_again_has_the_time_of_the_interaction",
    "test_consent_that_was_withdrawn_meanwhile_is_asked_for_again",
    "test_its_use_is_remembered_until_it_would_be_refused_anyhow",
}


def drive() -> site.Drive:
    """Return the blocking driver; what an async host awaits is what the contract is kept by, too."""
    return run


def fresh_site(drive: site.Drive) -> site.Site:
    """Return a fresh site, where a module has none of its own."""
    return site.make_site(drive)


def kept(emptied: Factory) -> Factory:
    """Return what the records are kept in, where whatever meets is run in every order."""
    return emptied


def over(emptied: Factory, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every site of a test over the storage."""
    if "kept" not in request.fixturenames:
        monkeypatch.setattr(site, "new_storage", emptied)


def suites(modules: Sequence[ModuleType], *marks: pytest.MarkDecorator) -> dict[str, type]:
    """Return a class of tests for each module, with these marks."""
    return dict(_suite(module, marks) for module in modules)


def _suite(module: ModuleType, marks: Sequence[pytest.MarkDecorator]) -> tuple[str, type]:
    name = "".join(word.capitalize() for word in module.__name__.rpartition(".")[2].split("_"))
    members: dict[str, Any] = {
        "drive": pytest.fixture(staticmethod(drive)),
        "site": pytest.fixture(staticmethod(fresh_site)),
        "kept": pytest.fixture(staticmethod(kept)),
        "over": pytest.fixture(autouse=True)(staticmethod(over)),
        "pytestmark": [*_marks_of(module), *marks],
    }
    for each, thing in vars(module).items():
        if isinstance(thing, FixtureFunctionDefinition):
            members[each] = thing._fixture_function_marker(staticmethod(thing._get_wrapped_function()))
        elif _is_test(each, thing) and each not in LOOK_INTO_MEMORY and not _is_for_memory_alone(thing):
            members[each] = staticmethod(thing)
    return name, type(name, (), members)


def _marks_of(module: ModuleType) -> Sequence[pytest.MarkDecorator]:
    marks = getattr(module, "pytestmark", ())
    return marks if isinstance(marks, list | tuple) else (marks,)


def _is_for_memory_alone(test: FunctionType) -> bool:
    """Return whether three flows meet in it, in many schedules; what a storage does to two, it does to three."""
    return any(mark.name == "memory_alone" for mark in getattr(test, "pytestmark", ()))


def _is_test(name: str, thing: object) -> bool:
    return isinstance(thing, FunctionType) and name.startswith("test_") and not hasattr(thing, "hypothesis")
