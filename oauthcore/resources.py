"""Resources: the APIs that a server issues tokens for, and what clients may ask for by name (RFC 8707).

What an API wants of its tokens is said here, once: who understands which scope, who reads JWTs, how long they last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Self, TypeAlias

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.extra_claims import PROTECTED_CLAIMS, REMEDY, is_json
from oauthcore.given import as_string_set, as_strings, check_callable, check_kind, check_strings, shown
from oauthcore.records.client import AccessTokenFormat, Client
from oauthcore.resource_uri import MAX_LENGTH, comparable, is_below, is_https_or_loopback, is_url, without_final_slash
from oauthcore.scope import Scope, given_scope

TrailingSlash = Literal["exact", "ignored"]

_REMEDY = (
    f"use an absolute URI of up to {MAX_LENGTH} characters, without fragment, user information and dot segments, "
    "as in https://api.example/mcp"
)


def _is_uri(_: object, field: attrs.Attribute[str], value: object) -> None:
    check_kind(field.name, value, str, _REMEDY)
    if comparable(str(value)) is None:
        raise ConfigurationError(field.name, value, _REMEDY)


def _scopes(value: str | Iterable[str] | None) -> Scope | None:
    return None if value is None else given_scope("scopes", value)


def _are_client_ids(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        check_strings(field.name, value)


def _are_claims(_: object, field: attrs.Attribute[Any], value: object) -> None:
    check_strings(field.name, value)
    if isinstance(value, tuple) and (protected := sorted(PROTECTED_CLAIMS.intersection(value))):
        raise ConfigurationError(field.name, protected, REMEDY)


def _are_fixed(_: object, field: attrs.Attribute[Any], value: object) -> None:
    remedy = 'give claims with their values, as in {"tenant": "eu"}'
    if not isinstance(value, Mapping):
        raise ConfigurationError(field.name, shown(value), remedy)
    if protected := sorted(PROTECTED_CLAIMS.intersection(value)):
        raise ConfigurationError(field.name, protected, REMEDY)
    for name, member in value.items():
        if not isinstance(name, str) or member is None or not is_json(member):
            raise ConfigurationError(field.name, str(name), remedy)


def _is_lifetime(_: object, field: attrs.Attribute[int | None], value: int | None) -> None:
    if value is not None and value < 1:
        raise ConfigurationError(field.name, value, "use a number of seconds, 1 or more")


def _is_format(_: object, field: attrs.Attribute[AccessTokenFormat | None], value: object) -> None:
    if value not in {None, "opaque", "jwt"}:
        raise ConfigurationError(field.name, value, 'use "opaque" or "jwt", or leave it to the client\'s registration')


@attrs.frozen
class Resource:
    """An API for which tokens are issued.

    `uri` is its identifier: clients name it by `resource`, compared as `oauthcore.resource_uri` does, and a token's
    `aud` is exactly this string. `scopes` are the scopes of the API, None for all: tokens for it have no others.
    `access_token_format`, `access_token_lifetime` (seconds) and `access_token_signing_alg` override the client's.
    `client_ids` are the clients that may have tokens for it, None for all. `introspected_by` are clients, usually the
    API itself, that may introspect tokens for it and no others (RFC 7662 section 4). `name` is shown on the consent
    page.

    `claims` are those of the user that the API learns from its tokens, `fixed_claims` are the same in each of them, as
    in `{"tenant": "eu"}`; a token for several resources has the claims that all of them have (docs/claims.md).

    Raises `ConfigurationError` for invalid settings.
    """

    uri: str = attrs.field(validator=_is_uri)
    scopes: Scope | None = attrs.field(default=None, converter=_scopes, kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)
    access_token_format: AccessTokenFormat | None = attrs.field(default=None, validator=_is_format, kw_only=True)
    access_token_lifetime: int | None = attrs.field(default=None, validator=_is_lifetime, kw_only=True)
    access_token_signing_alg: str | None = attrs.field(default=None, kw_only=True)
    client_ids: frozenset[str] | None = attrs.field(
        default=None, converter=attrs.converters.optional(as_string_set), validator=_are_client_ids, kw_only=True
    )
    introspected_by: frozenset[str] = attrs.field(
        default=frozenset(), converter=as_string_set, validator=_are_client_ids, kw_only=True
    )
    claims: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=_are_claims, kw_only=True)
    fixed_claims: Mapping[str, object] = attrs.field(factory=dict, validator=_are_fixed, hash=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        # Otherwise which of the two values an API reads would depend on their order in the code.
        if both := sorted(set(self.claims).intersection(self.fixed_claims)):
            raise ConfigurationError("fixed_claims", both, "leave these out here, or in claims: a claim has one source")

    def admits(self, client: Client) -> bool:
        """Return whether a client may have tokens for it."""
        return self.client_ids is None or client.client_id in self.client_ids

    def signed_by(self, algorithms: tuple[str, ...]) -> Resource:
        """Return it for a server that signs by these algorithms; raises `ConfigurationError` if none of them does."""
        alg = self.access_token_signing_alg
        if alg is not None and alg not in algorithms:
            remedy = f"use one that the server has keys for: {', '.join(algorithms) or 'give it keys'}"
            raise ConfigurationError("access_token_signing_alg", alg, remedy)
        if self.access_token_format != "jwt" or alg is not None:
            return self
        if not algorithms:
            raise ConfigurationError(
                "access_token_format", "jwt", "give the server keys to sign with: keys=KeyPolicy()"
            )
        # RFC 9068 section 2.1: what every resource server can verify, where the server has it.
        return attrs.evolve(self, access_token_signing_alg="RS256" if "RS256" in algorithms else algorithms[0])


FindResource: TypeAlias = Callable[[str, Client], Resource | None]
"""Return the resource that a URI names to a client, None if none; it has to do so each time, and at once."""


@attrs.frozen(kw_only=True)
class AnyResource:
    """Take every https URI, and http on the loopback interface, for a resource: APIs that appear at run time, as MCP
    servers do.

    Every client may then have tokens for whatever URI it names, so that nothing but consent stands between a client and
    an API. With `below` only for these URIs and what stands below them. The other settings are those of `Resource`.
    """

    below: tuple[str, ...] = attrs.field(default=(), converter=as_strings)
    access_token_format: AccessTokenFormat | None = attrs.field(default=None, validator=_is_format)
    access_token_lifetime: int | None = attrs.field(default=None, validator=_is_lifetime)
    access_token_signing_alg: str | None = None

    def __attrs_post_init__(self) -> None:
        check_strings("below", self.below)
        for uri in self.below:
            if comparable(uri) is None:
                raise ConfigurationError("below", uri, _REMEDY)

    def __call__(self, uri: str, _: Client) -> Resource | None:
        """Return the resource that a URI names."""
        form = comparable(uri)
        if form is None or not is_https_or_loopback(form):
            return None
        if self.below and not any(is_below(form, comparable(base) or "") for base in self.below):
            return None
        return Resource(
            uri,
            access_token_format=self.access_token_format,
            access_token_lifetime=self.access_token_lifetime,
            access_token_signing_alg=self.access_token_signing_alg,
        )


def _listed(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    if isinstance(resources, Resource | str):
        raise ConfigurationError("resources", resources, 'give a list of resources, as in [Resource("https://…")]')
    return tuple(resources)


@attrs.frozen
class Resources:
    """Say which resources there are: `Resources([Resource("https://api.example", scopes="files:read files")])`.

    `default` is the URI of the resource that a request means which names none; without one that is the server itself.
    `unregistered` finds a resource that is not `registered`, at run time: `AnyResource()`, or a function of your own.
    With `trailing_slash` "ignored", `/mcp` and `/mcp/` are one.

    Raises `ConfigurationError` for settings that can't be.
    """

    registered: tuple[Resource, ...] = attrs.field(default=(), converter=_listed)
    default: str | None = attrs.field(default=None, kw_only=True)
    unregistered: FindResource | None = attrs.field(default=None, kw_only=True)
    trailing_slash: TrailingSlash = attrs.field(default="exact", kw_only=True)
    _by_form: Mapping[str, Resource] = attrs.field(init=False, eq=False, repr=False)

    @_by_form.default
    def _index(self) -> Mapping[str, Resource]:
        by_form: dict[str, Resource] = {}
        for resource in self.registered:
            check_kind("resources", resource, Resource, 'give a list of resources, as in [Resource("https://…")]')
            form = self.form_of(resource.uri)
            # RFC 8707 section 2: a URI names one resource. Of two spellings, a client could choose the one with weaker
            # settings.
            if form in by_form:
                raise ConfigurationError("resources", resource.uri, f"leave it out: {by_form[form].uri} is the same")
            by_form[form or ""] = resource
        return by_form

    def __attrs_post_init__(self) -> None:
        if self.trailing_slash not in {"exact", "ignored"}:
            raise ConfigurationError("trailing_slash", self.trailing_slash, 'use "exact" or "ignored"')
        if self.unregistered is not None:
            check_callable("unregistered", self.unregistered, "give AnyResource(), or a function")
        if self.default is not None and (
            comparable(self.default) is None
            or (self.unregistered is None and self.form_of(self.default) not in self._by_form)
        ):
            raise ConfigurationError("default", self.default, "name one of the resources")

    @property
    def is_value(self) -> bool:
        """Return whether nothing in it is a function of the host's, which no trace of a decision could bring."""
        return self.unregistered is None or attrs.has(type(self.unregistered))

    @property
    def published(self) -> tuple[str, ...]:
        """Return those that the metadata names (RFC 9728 section 4): URLs, and of no client's in particular."""
        return tuple(resource.uri for resource in self._public if is_url(comparable(resource.uri) or ""))

    @property
    def published_scopes(self) -> tuple[str, ...]:
        """Return what those understand, for the metadata."""
        return tuple(token for resource in self._public for token in resource.scopes or ())

    @property
    def _public(self) -> tuple[Resource, ...]:
        # A resource that only some clients may use is not published: its URI may say whom the operator works for.
        return tuple(resource for resource in self.registered if resource.client_ids is None)

    def signed_by(self, algorithms: tuple[str, ...]) -> Self:
        """Return them for a server that signs by these algorithms, which are the ones that readers of JWTs know.

        Raises `ConfigurationError` if the server lacks the algorithm of a resource.
        """
        return attrs.evolve(self, registered=tuple(resource.signed_by(algorithms) for resource in self.registered))

    def form_of(self, uri: str) -> str | None:
        """Return the form by which a URI is compared, None for what can't name a resource."""
        form = comparable(uri)
        return form if form is None or self.trailing_slash == "exact" else without_final_slash(form)

    def admits(self, uri: str, client: Client) -> bool:
        """Return whether nothing is registered that keeps a client from tokens for a resource."""
        found = self._by_form.get(self.form_of(uri) or "")
        return found is None or found.admits(client)

    def find(self, uri: str, client: Client) -> Resource | None:
        """Return the resource that a URI names to a client, None if it names none that the client may have tokens for.

        What was registered is found as it was spelled then; of any other, the parts that are compared without case are
        in lower case from then on, so that two spellings are not two audiences.
        """
        form = self.form_of(uri)
        if form is None:
            return None
        found = self._by_form.get(form)
        if found is None and self.unregistered is not None:
            # A URI without a path stays as it was registered, with a slash or without, since readers compare strings.
            is_host = form.endswith("/") and not uri.endswith("/") and form.count("/") == 3
            found = self.unregistered(form[:-1] if is_host else form, client)
        return found if found is not None and found.admits(client) else None


def as_resources(given: Resources | Iterable[Resource] | None) -> Resources | None:
    """Take resources in whatever form they are given: with their settings, as a list, or not at all."""
    return given if given is None or isinstance(given, Resources) else Resources(given)
