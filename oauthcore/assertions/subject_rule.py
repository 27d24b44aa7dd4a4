"""Which subject here an assertion stands for: a user, or a client that is identified by it (RFC 7521 section 5.2).

A trusted issuer names its own users and workloads. Its names mean nothing here by themselves: a rule says which user or
client each one stands for, and an assertion that matches no rule is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import check_kind
from oauthcore.jose.strict_json import is_integer
from oauthcore.records.client_subject import check_subject
from oauthcore.scope import Scope, given_scope

# What every assertion has, or draws for itself: a condition on these would tell no subject from another.
_OF_EVERY_ASSERTION = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
# Subjects are stored and compared, so one that a database can't store or that is not printable is refused.
MAX_SUBJECT_LENGTH = 255


@attrs.frozen
class AssertedSubject:
    """Say whom an assertion stands for.

    With a `subject` it is that user; the token is for the client that presents the assertion, or for `client_id`.
    Without one it is the client `client_id` itself (RFC 7523 section 3 item 2.B), and needs no other authentication of
    it. `scope` bounds what is issued, None if the client's registration is the bound.
    """

    subject: str | None = None
    client_id: str | None = None
    scope: Scope | None = None


FindSubject: TypeAlias = Callable[[Mapping[str, object]], AssertedSubject | None]
"""Return whom the claims of an assertion stand for, None for nobody here.

It is called after the assertion has been verified, maybe several times for one request, and must not wait.
"""


def _scope(value: str | Iterable[str] | None) -> Scope | None:
    return None if value is None else given_scope("scope", value)


def _conditions(value: Mapping[str, object]) -> Mapping[str, tuple[object, ...]]:
    check_kind("claims", value, Mapping, 'give a table of claims, as in {"sub": "system:serviceaccount:prod:api"}')
    return {name: tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,) for name, wanted in value.items()}


@attrs.frozen(kw_only=True)
class SubjectRule:
    """Say for whom an assertion stands whose claims fulfil some conditions.

    `claims` has for the name of a claim the value that it must have, or a list of which one must be there; a string
    that ends in `*` is for all that begin so. It stands for the user `subject`, or for the one that `subject_claim`
    names. With a `client_id` it also identifies that client, which then needs no authentication of its own; with that
    alone it stands for this client: a workload. `scope` bounds what is issued for it.

    Raises `ConfigurationError` for a rule without a subject, or one that makes all subjects of an issuer the same one.
    """

    claims: Mapping[str, tuple[object, ...]] = attrs.field(factory=dict, converter=_conditions)
    subject: str | None = None
    subject_claim: str | None = None
    client_id: str | None = None
    scope: Scope | None = attrs.field(default=None, converter=_scope)

    def __attrs_post_init__(self) -> None:
        for name in ("subject", "subject_claim", "client_id"):
            check_kind(name, getattr(self, name), (str, type(None)), "give a string")
        if self.subject is not None:
            check_subject(self.subject)
        if self.subject is not None and self.subject_claim is not None:
            raise ConfigurationError("subject_claim", self.subject_claim, "give it or the subject, and not both")
        if not (self.subject or self.subject_claim or self.client_id):
            remedy = "say for whom these assertions stand: subject, subject_claim or client_id"
            raise ConfigurationError("subject", self.subject, remedy)
        # Any stranger may have a repository at a CI service. Without a condition, each of them would be this client.
        if not self.claims and self.subject_claim is None:
            remedy = "say which of the issuer's assertions are meant, as in sub: all others would be this subject, too"
            raise ConfigurationError("claims", dict(self.claims), remedy)
        for name, values in self.claims.items():
            self._check(name, values)

    def _check(self, name: str, values: tuple[object, ...]) -> None:
        if name in _OF_EVERY_ASSERTION:
            remedy = "use another claim: this one tells no subject of the issuer from another"
            raise ConfigurationError(f"claims.{name}", list(values), remedy)
        remedy = "give a string, true, false or a whole number, or a list of them; * stands at the end, after something"
        if not values:
            raise ConfigurationError(f"claims.{name}", list(values), remedy)
        for value in values:
            is_pattern = isinstance(value, str) and "*" in value
            is_value = isinstance(value, str | bool) or is_integer(value)
            if not is_value or (is_pattern and not _is_prefix(str(value))):
                raise ConfigurationError(f"claims.{name}", value, remedy)

    def __call__(self, claims: Mapping[str, object]) -> AssertedSubject | None:
        """Return whom an assertion stands for, None if the rule is not about it."""
        for name, wanted in self.claims.items():
            if not _is_one_of(claims.get(name), wanted):
                return None
        # OIDC Core section 5.7: an address that was not verified may be a victim's. So it fulfils no condition either.
        is_by_email = self.subject_claim == "email" or "email" in self.claims
        if is_by_email and claims.get("email_verified", True) is not True:
            return None
        subject = self.subject
        if self.subject_claim is not None:
            named = claims.get(self.subject_claim)
            if not isinstance(named, str) or not named:
                return None
            subject = named
        return AssertedSubject(subject, self.client_id, self.scope)


def first_of(rules: Iterable[SubjectRule], claims: Mapping[str, object]) -> AssertedSubject | None:
    """Return the subject by the first rule that matches an assertion."""
    return next((found for found in (rule(claims) for rule in rules) if found is not None), None)


def is_name(subject: str) -> bool:
    """Return whether a subject can be stored and shown: another issuer has chosen it, so it may have any character."""
    return 0 < len(subject) <= MAX_SUBJECT_LENGTH and subject.isprintable() and subject == subject.strip(" ")


def is_user_name(subject: str) -> bool:
    """Return whether it can be the subject of a user: those of clients' own tokens are reserved for clients."""
    try:
        check_subject(subject)
    except ConfigurationError:
        return False
    return is_name(subject)


def _is_prefix(pattern: str) -> bool:
    return len(pattern) > 1 and pattern.index("*") == len(pattern) - 1


def _is_one_of(value: object, wanted: tuple[object, ...]) -> bool:
    # A list of groups, say, fulfils a condition by any of them.
    values = value if isinstance(value, list) else [value]
    return any(_is(one, another) for one in values for another in wanted)


def _is(value: object, wanted: object) -> bool:
    if isinstance(wanted, str) and wanted.endswith("*"):
        return isinstance(value, str) and value.startswith(wanted[:-1])
    # In Python, true equals 1: an issuer's claim of one type must not fulfil a condition of the other.
    return type(value) is type(wanted) and value == wanted
