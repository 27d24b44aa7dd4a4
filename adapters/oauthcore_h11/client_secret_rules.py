"""What a client secret that an operator chose may not be: short, or one of those that everybody tries first.

What the server draws itself is not looked at, and neither is what is stored. Whether a secret is hard enough to guess
is another question, which `oauthcore.clients.secret_strength` answers with a warning.
"""

from __future__ import annotations

from oauthcore import ConfigurationError, Secret
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.tables import ClientSecrets
from oauthcore_h11.password_rules import is_common

# What to use instead has the 128 bits that RFC 6749 section 10.10 asks for.
_REMEDY = "as from openssl rand -base64 32"


def check_client_secrets(configuration: Configuration) -> None:
    """Look over every client secret in a file; raises `ConfigurationError`, which names the client's place."""
    for number, table in enumerate(configuration.clients):
        # What is wrong with a secret of a client that has none is that it has one, which its registration says.
        if table.secret is not None and table.token_endpoint_auth_method != "none":
            setting = f"clients[{number + 1}].secret"
            check_client_secret(setting, table.secret, table.client_id, configuration.client_secrets)


def check_client_secret(setting: str, secret: Secret, client_id: str, rules: ClientSecrets) -> None:
    """Refuse a chosen client secret that is too easy; raises `ConfigurationError`, which does not show it.

    Nothing but the network slows down guesses at a client's secret, so one that is tried first is as good as none (RFC
    6749 section 10.10).
    """
    text = secret.reveal()
    if len(text) < rules.minimum_length:
        least = f"{rules.minimum_length} characters (client_secrets.minimum_length)"
        raise ConfigurationError(setting, secret, f"use at least {least}, {_REMEDY}")
    if rules.refuse_common and is_common(text, client_id):
        remedy = "it is one of the most common secrets (client_secrets.refuse_common); use another"
        raise ConfigurationError(setting, secret, f"{remedy}, {_REMEDY}")
