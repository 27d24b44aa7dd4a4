"""Trusted issuers: other servers whose assertions are taken, each by what the operator says of it (RFC 7523 section 3).

None is trusted by default. This is the value; `oauthcore.assertions.verified` verifies what came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, get_args

import attrs

from oauthcore.assertions.subject_rule import AssertedSubject, FindSubject, SubjectRule, first_of, is_user_name
from oauthcore.documents import FRESH_FOR
from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_string_set, as_strings, check_callable, check_kind, check_strings
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, Jwk, set_of
from oauthcore.jose.registered_claims import SKEW
from oauthcore.resource.discovery import is_private_channel, metadata_urls
from oauthcore.resource.published_keys import KEYS_LIFETIME, keys_of_set

# As with client assertions: until it expires, a thief could use it. Kubernetes makes tokens for an hour by default.
MAX_LIFETIME = 3_600

Use: TypeAlias = Literal["jwt-bearer", "id-jag", "token-exchange"]
"""What assertions of an issuer are taken for: JWTs by RFC 7523 section 2.1, ID-JAGs, or subject tokens of RFC 8693."""
USES: tuple[Use, ...] = get_args(Use)


@attrs.frozen
class AllowReuse:
    """Take an assertion as often as it comes until it expires, also one without a `jti`.

    Workloads read theirs from a file, which changes once an hour. A thief who gets hold of one can use it as well.
    """


def _keys(given: str | bytes | Mapping[str, object] | Iterable[Jwk] | None) -> str | None:
    """Take a JWK set as text, as a mapping, or as keys; return the text of the public ones."""
    if given is None:
        return None
    try:
        if isinstance(given, str | bytes | Mapping):
            found = keys_of_set(json.dumps(given) if isinstance(given, Mapping) else given)
        else:
            found = tuple(key.public for key in given)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError("keys", "(not shown)", f"give a JWK set: {error}") from None
    if not any(key.fits_signature(alg) for key in found for alg in ASYMMETRIC_ALGORITHMS):
        raise ConfigurationError("keys", "(not shown)", "give a JWK set with a public key to verify by")
    return set_of(found).decode("ascii")


def _rules(given: object) -> tuple[SubjectRule, ...] | FindSubject:
    if isinstance(given, SubjectRule):
        return (given,)
    if isinstance(given, list | tuple):
        for rule in given:
            check_kind("subjects", rule, SubjectRule, "give a list of SubjectRule, or a function of the claims")
        return tuple(given)
    check_callable("subjects", given, "give a list of SubjectRule, or a function of the claims")
    return given  # type: ignore[return-value]  # it can be called; what it returns is checked then


@attrs.frozen(kw_only=True)
class TrustedIssuer:
    """Trust the assertions that an issuer signs, for the `uses` that are named.

    `issuer` is their exact `iss`. Its keys are found by its metadata; or they are at `jwks_uri`, or are the `keys`, a
    JWK set as text, mapping or keys. `algorithms` are those that it may sign with; they must be asymmetric. `subjects`
    say for whom its assertions stand: rules, of which the first that fits counts, or a function of the claims.

    `audience` are strings that may stand in `aud` for this server beside its issuer, as the URL of its token endpoint:
    for issuers that can't be made to say the issuer. An ID-JAG has the issuer and nothing else. An assertion is used
    once, by its `jti`, unless `reuse=AllowReuse()`, and lasts `max_lifetime` seconds at most from when it comes.
    `client_ids` are the clients that may present its assertions, None for all that are registered for the grant type.
    `skew` is the tolerance in seconds for its clock. Keys are cached for `keys_lifetime` seconds.

    Raises `ConfigurationError` for invalid settings.
    """

    issuer: str
    subjects: tuple[SubjectRule, ...] | FindSubject = attrs.field(default=(), converter=_rules)
    uses: frozenset[Use] = attrs.field(default=frozenset({"jwt-bearer"}), converter=as_string_set)
    keys: str | None = attrs.field(default=None, converter=_keys)
    jwks_uri: str | None = None
    algorithms: tuple[str, ...] = attrs.field(
        default=ASYMMETRIC_ALGORITHMS, converter=as_strings, validator=are_strings
    )
    audience: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    client_ids: frozenset[str] | None = attrs.field(default=None, converter=attrs.converters.optional(as_string_set))
    max_lifetime: int = MAX_LIFETIME
    keys_lifetime: int = KEYS_LIFETIME
    skew: int = SKEW
    reuse: AllowReuse | None = None

    def __attrs_post_init__(self) -> None:
        check_kind("issuer", self.issuer, str, "give the iss of its assertions as a string")
        if not self.issuer:
            raise ConfigurationError("issuer", self.issuer, "give the iss of its assertions")
        self._check_uses()
        self._check_keys()
        if self.client_ids is not None:
            check_strings("client_ids", self.client_ids)
        if not self.algorithms or not set(self.algorithms) <= set(ASYMMETRIC_ALGORITHMS):
            # With HMAC, every party that can verify an assertion could also make one (RFC 8725 section 2.1).
            remedy = f"use some of {', '.join(ASYMMETRIC_ALGORITHMS)}"
            raise ConfigurationError("algorithms", list(self.algorithms), remedy)
        if self.max_lifetime < 1:
            raise ConfigurationError("max_lifetime", self.max_lifetime, "use a number of seconds, 1 or more")
        if self.skew < 0:
            raise ConfigurationError("skew", self.skew, "use a number of seconds, 0 or more")
        if not 1 <= self.keys_lifetime <= FRESH_FOR:
            raise ConfigurationError("keys_lifetime", self.keys_lifetime, f"use 1 to {FRESH_FOR} seconds")

    def _check_uses(self) -> None:
        check_strings("uses", self.uses)
        if not self.uses or not self.uses <= set(USES):
            raise ConfigurationError("uses", sorted(self.uses), f"use some of {', '.join(USES)}")
        check_kind("reuse", self.reuse, (AllowReuse, type(None)), "give AllowReuse(), or leave it out")
        if self.reuse is not None and "id-jag" in self.uses:
            # draft-ietf-oauth-identity-assertion-authz-grant section 4.4, and SEP-990: its `jti` is used once.
            raise ConfigurationError("reuse", self.reuse, "leave it out: an ID-JAG is used once")

    def _check_keys(self) -> None:
        if self.keys is not None and self.jwks_uri is not None:
            raise ConfigurationError("jwks_uri", self.jwks_uri, "give the keys, or where they are, and not both")
        if self.jwks_uri is not None and not is_private_channel(self.jwks_uri):
            remedy = "use an https URL: whoever can change the keys can make assertions"
            raise ConfigurationError("jwks_uri", self.jwks_uri, remedy)
        if self.keys is None and self.jwks_uri is None:
            _ = metadata_urls(self.issuer)

    @property
    def is_value(self) -> bool:
        """Return whether nothing in it is a function of the host's, which no trace of a decision could bring."""
        return isinstance(self.subjects, tuple)

    def is_presented_by(self, client_id: str) -> bool:
        """Return whether a client may present its assertions."""
        return self.client_ids is None or client_id in self.client_ids

    def subject_of(self, claims: Mapping[str, object]) -> AssertedSubject | None:
        """Return the subject of an assertion with these claims, None if no rule matches.

        A name that no user can have matches no user, whatever its issuer says (`oauthcore.records.client_subject`).
        """
        found = first_of(self.subjects, claims) if isinstance(self.subjects, tuple) else self.subjects(claims)
        if found is None or (found.subject is None and found.client_id is None):
            return None
        return found if found.subject is None or is_user_name(found.subject) else None


def as_trusted_issuers(given: Iterable[TrustedIssuer]) -> Mapping[str, TrustedIssuer]:
    """Take issuers by their exact names; raises `ConfigurationError` for one that is named twice."""
    remedy = "give a list of TrustedIssuer"
    if isinstance(given, TrustedIssuer | str | Mapping):
        raise ConfigurationError("trusted_issuers", type(given).__name__, remedy)
    issuers: dict[str, TrustedIssuer] = {}
    for issuer in given:
        check_kind("trusted_issuers", issuer, TrustedIssuer, remedy)
        if issuer.issuer in issuers:
            raise ConfigurationError(
                "trusted_issuers", issuer.issuer, "name each issuer once, with all of its subjects"
            )
        issuers[issuer.issuer] = issuer
    return issuers
