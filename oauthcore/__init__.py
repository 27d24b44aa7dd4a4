"""OAuth 2.x authorization server core: sans-IO, one core for blocking and async hosts."""

from oauthcore.context import Paths
from oauthcore.digest import Secret
from oauthcore.drivers import AsyncWorld, World, arun, run
from oauthcore.endpoints.interaction import PendingInteraction
from oauthcore.errors import ConfigurationError, OAuthError
from oauthcore.http import Refusal, Request, Response
from oauthcore.memory import MemoryStorage
from oauthcore.policy import Allowance, Lifetimes, Policy
from oauthcore.records import Client, Login
from oauthcore.scope import Scope
from oauthcore.server import AuthorizationServer

__all__ = [
    "Allowance",
    "AsyncWorld",
    "AuthorizationServer",
    "Client",
    "ConfigurationError",
    "Lifetimes",
    "Login",
    "MemoryStorage",
    "OAuthError",
    "Paths",
    "PendingInteraction",
    "Policy",
    "Refusal",
    "Request",
    "Response",
    "Scope",
    "Secret",
    "World",
    "arun",
    "run",
]
