"""The public names, pinned: a change here is a change for everybody who embeds this."""

from __future__ import annotations

import oauthcore
import oauthcore.testing
from oauthcore import trace
from oauthcore.testing import strategies


def test_the_package_offers_these_names_and_no_others() -> None:
    assert sorted(oauthcore.__all__) == [
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


def test_the_testing_kit_offers_these_names_and_no_others() -> None:
    assert sorted(oauthcore.testing.__all__) == [
        "Act",
        "Clause",
        "ClauseBroken",
        "ClientSession",
        "ContractBroken",
        "Crash",
        "CrashFailed",
        "CrashPoints",
        "Exploration",
        "Factory",
        "FixedClock",
        "GrantMachine",
        "Lifetime",
        "NotOffered",
        "Outage",
        "Point",
        "Run",
        "Scene",
        "Schedule",
        "ScheduleFailed",
        "SeededEntropy",
        "StorageUnderTest",
        "Terms",
        "check_storage",
        "clauses",
        "crash_points",
        "every_outage",
        "explore",
        "interleave",
        "replay",
    ]


def test_its_strategies_and_traces_offer_these_names_and_no_others() -> None:
    assert sorted(strategies.__all__) == [
        "Asking",
        "acts",
        "almost_valid",
        "authorizations",
        "clients",
        "grants",
        "hostile",
        "lifetimes",
        "of_type",
        "records",
        "tokens",
    ]
    assert sorted(trace.__all__) == ["Recorder", "Replayed", "Step", "Trace", "replay"]


def test_every_name_is_there() -> None:
    assert all(hasattr(oauthcore, name) for name in oauthcore.__all__)
    assert all(hasattr(oauthcore.testing, name) for name in oauthcore.testing.__all__)
