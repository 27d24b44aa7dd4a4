"""OAuth 2.x authorization server core: sans-IO, one core for blocking and async hosts."""

from oauthcore.context import Paths
from oauthcore.digest import Secret
from oauthcore.drivers import AsyncWorld, World, arun, run
from oauthcore.effects import TryLater
from oauthcore.endpoints.applications import AuthorizedApplication
from oauthcore.endpoints.interaction import PendingInteraction
from oauthcore.errors import ConfigurationError, OAuthError
from oauthcore.http import Peer, Refusal, Request, Response
from oauthcore.memory import MemoryStorage
from oauthcore.policy import Allowance, Lifetimes, Policy
from oauthcore.records import Client, Login
from oauthcore.scope import Scope
from oauthcore.server import AuthorizationServer

__all__ = [
    "Allowance",
    "AsyncWorld",
    "AuthorizationServer",
    "AuthorizedApplication",
    "Client",
    "ConfigurationError",
    "Lifetimes",
    "Login",
    "MemoryStorage",
    "OAuthError",
    "Paths",
    "Peer",
    "PendingInteraction",
    "Policy",
    "Refusal",
    "Request",
    "Response",
    "Scope",
    "Secret",
    "TryLater",
    "World",
    "arun",
    "run",
]
