"""OAuth 2.x authorization server core: sans-IO, one core for blocking and async hosts."""

from oauthcore.assertions.subject_rule import AssertedSubject, SubjectRule
from oauthcore.assertions.trusted_issuer import AllowReuse, TrustedIssuer
from oauthcore.authorization.next_step import Need
from oauthcore.authorization_details import AuthorizationDetails, DetailType
from oauthcore.ciba import Ciba
from oauthcore.client_assertions import ClientAssertions
from oauthcore.client_id_metadata import ClientIdMetadata, LoopbackDocuments
from oauthcore.clients.dynamic_registration import AnyoneMayRegister, Registration, SoftwareStatementIssuer
from oauthcore.context import Paths
from oauthcore.device_grant import DeviceGrant
from oauthcore.digest import Secret
from oauthcore.dpop.settings import Dpop
from oauthcore.endpoints.applications import AuthorizedApplication
from oauthcore.endpoints.device import PendingDevice
from oauthcore.endpoints.end_session import PendingLogout
from oauthcore.endpoints.interaction import PendingInteraction
from oauthcore.endpoints.webfinger import WebFinger
from oauthcore.errors import ConfigurationError, OAuthError, OutdatedLogin
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.flow.drivers import AsyncWorld, World, arun, run
from oauthcore.flow.effects import AuthenticatedUser, KnownUser, Throttled
from oauthcore.mutual_tls import MutualTls
from oauthcore.policy import Allowance, CodeBinding, Lifetimes, Policy, RefreshRotation, UnknownScope
from oauthcore.profiles.profile import Profile
from oauthcore.pushed_requests import PushedRequests
from oauthcore.records.client import Client
from oauthcore.records.lifecycle import DeviceState
from oauthcore.records.login import Login, LoginSession
from oauthcore.request_objects import RequestObjects
from oauthcore.resource.access import Access
from oauthcore.resource.dpop import ResourceDpop, SeenProofs, StoredProofs
from oauthcore.resource.introspected import IntrospectedTokens
from oauthcore.resource.jwt_tokens import AllowPlainJwt, JwtTokens
from oauthcore.resource.server import AnyAudience, ResourceServer
from oauthcore.resources import AnyResource, Resource, Resources
from oauthcore.scope import Scope, ScopeHierarchy
from oauthcore.server import AuthorizationServer
from oauthcore.storage.memory import MemoryStorage
from oauthcore.token_exchange import (
    AllowedExchange,
    AllowedIdJag,
    ExchangeAllowance,
    ExchangeRequest,
    ExchangeRule,
    IdJagRule,
    TokenExchange,
    VerifiedToken,
)
from oauthcore.user_policy import ClientUse, UserPolicy
from oauthcore.wire.http import Outgoing, Peer, Refusal, Request, Response

__all__ = [
    "Access",
    "AllowPlainJwt",
    "AllowReuse",
    "Allowance",
    "AllowedExchange",
    "AllowedIdJag",
    "AnyAudience",
    "AnyResource",
    "AnyoneMayRegister",
    "AssertedSubject",
    "AsyncWorld",
    "AuthenticatedUser",
    "AuthorizationDetails",
    "AuthorizationServer",
    "AuthorizedApplication",
    "Ciba",
    "ClaimsTarget",
    "Client",
    "ClientAssertions",
    "ClientIdMetadata",
    "ClientUse",
    "CodeBinding",
    "ConfigurationError",
    "DetailType",
    "DeviceGrant",
    "DeviceState",
    "Dpop",
    "ExchangeAllowance",
    "ExchangeRequest",
    "ExchangeRule",
    "IdJagRule",
    "IntrospectedTokens",
    "JwtTokens",
    "KnownUser",
    "Lifetimes",
    "Login",
    "LoginSession",
    "LoopbackDocuments",
    "MemoryStorage",
    "MutualTls",
    "Need",
    "OAuthError",
    "OutdatedLogin",
    "Outgoing",
    "Paths",
    "Peer",
    "PendingDevice",
    "PendingInteraction",
    "PendingLogout",
    "Policy",
    "Profile",
    "PushedRequests",
    "RefreshRotation",
    "Refusal",
    "Registration",
    "Request",
    "RequestObjects",
    "Resource",
    "ResourceDpop",
    "ResourceServer",
    "Resources",
    "Response",
    "Scope",
    "ScopeHierarchy",
    "Secret",
    "SeenProofs",
    "SoftwareStatementIssuer",
    "StoredProofs",
    "SubjectRule",
    "Throttled",
    "TokenExchange",
    "TrustedIssuer",
    "UnknownScope",
    "UserPolicy",
    "VerifiedToken",
    "WebFinger",
    "World",
    "arun",
    "run",
]
