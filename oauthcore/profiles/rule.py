"""A rule of a profile: what it demands, where that is written, and how to see whether it is obeyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from oauthcore.dpop.settings import Dpop
from oauthcore.mutual_tls import MutualTls
from oauthcore.openid import OpenID
from oauthcore.per_request import per_request
from oauthcore.pkce import CodeChallenge
from oauthcore.policy import Policy
from oauthcore.pushed_requests import PushedRequests
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.request_objects import RequestObjects
from oauthcore.resources import Resources

State = Literal["always", "obeyed", "not obeyed", "each client", "each request", "yours"]
"""How a rule stands: the server has no way to break it (always); its settings obey it, or don't; it is checked of each
client, or of each request; or only the operator can see to it (yours).
"""


@attrs.frozen(kw_only=True)
class Deployment:
    """Hold the settings of a server that rules look at.

    `algorithms` are those of its signing keys. `grant_types` are all that it offers.
    """

    issuer: str
    policy: Policy
    openid: OpenID | None
    algorithms: tuple[str, ...]
    grant_types: frozenset[str]
    pushed_requests: PushedRequests | None
    request_objects: RequestObjects
    dpop: Dpop | None
    mutual_tls: MutualTls | None
    resources: Resources | None
    has_registration: bool
    has_client_id_metadata: bool


@per_request
class AuthorizationTraits:
    """Hold what rules look at in an authorization request that has passed all other checks.

    `object_signing_alg` is the algorithm of its request object, None if it came without.
    """

    client: Client
    response_type: str
    is_jwt_response: bool
    code_challenge: CodeChallenge | None
    is_redirect_uri_sent: bool
    is_pushed: bool
    object_signing_alg: str | None
    nonce: str | None


@per_request
class TokenTraits:
    """Hold what rules look at in a token request; `confirmation` is the key that its tokens are bound to.

    It is not authenticated where nothing but the assertion of a grant has identified the client (RFC 7521 section 4.1).
    """

    client: Client
    grant_type: str
    confirmation: Confirmation | None
    is_authenticated: bool = True


@attrs.frozen
class Problem:
    """Say which setting does not obey a rule, its value, and the remedy."""

    setting: str
    value: object
    remedy: str


@attrs.frozen(kw_only=True)
class Rule:
    """Describe a rule.

    `name` is lower-case words with underscores: it stands in events, as in `profile:pushed_requests`. `requirement` is
    what has to hold, in a sentence; `source` the standard's section; `setting` what obeys it, blank if no setting can
    disobey. `server` and `client` return the problem of a deployment or of a client, None without one.
    `authorization` and `token` return whether a request obeys. With `is_yours`, the server can't see it, and the
    requirement says what the operator has to do.
    """

    name: str
    requirement: str
    source: str
    setting: str = ""
    server: Callable[[Deployment], Problem | None] | None = None
    client: Callable[[Client], Problem | None] | None = None
    authorization: Callable[[AuthorizationTraits], bool] | None = None
    token: Callable[[TokenTraits], bool] | None = None
    is_yours: bool = False

    def state_in(self, deployment: Deployment) -> tuple[State, Problem | None]:
        """Return how the rule stands in a deployment, and the problem if it is not obeyed."""
        problem = None if self.server is None else self.server(deployment)
        if problem is not None:
            return "not obeyed", problem
        if self.is_yours:
            return "yours", None
        if self.server is not None:
            return "obeyed", None
        if self.client is not None:
            return "each client", None
        return ("always" if self.authorization is None and self.token is None else "each request"), None
