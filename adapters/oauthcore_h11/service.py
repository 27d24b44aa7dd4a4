"""The service, assembled from its configuration; settings that depend on each other are checked here.

At a reload everything is created again, except the storage, the password hashing and the counters.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time

import attrs
from jinja2 import FileSystemLoader

from oauthcore import AuthorizationServer, ConfigurationError
from oauthcore.clock import Clock
from oauthcore.entropy import Entropy
from oauthcore.flow.storage import AsyncStorage
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import server_of, token_key_of
from oauthcore_h11.attempts import Patience
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.reading import check_readable
from oauthcore_h11.declarations import declared
from oauthcore_h11.declared import WithDeclared
from oauthcore_h11.devices import Devices
from oauthcore_h11.login_hints import LoginHints
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.outgoing import fetch_of
from oauthcore_h11.passwords import Passwords
from oauthcore_h11.profiles import Profile
from oauthcore_h11.readiness import Readiness
from oauthcore_h11.refusal_limits import RefusalLimits, guessed_at
from oauthcore_h11.request_hook import request_hook_of
from oauthcore_h11.traces import traced
from oauthcore_h11.unnamed_proxies import proxies_of
from oauthcore_h11.users import Users
from oauthcore_pages import Brand, Pages, Templates


def application_of(
    configuration: Configuration,
    storage: AsyncStorage,
    passwords: Passwords,
    monitoring: Monitoring,
    *,
    clock: Clock = time.time,
    entropy: Entropy = secrets.token_bytes,
) -> Application:
    """Put the application together; raises `ConfigurationError` for settings that can't be together."""
    templates = templates_of(configuration)
    server = traced(server_of(configuration, templates.error, clock, entropy), configuration.logs.traces)
    pages = pages_of(configuration, server, templates, clock, entropy)
    records = tuple(declared(configuration, server, passwords))
    known = WithDeclared(storage, records)
    return Application(
        server=server,
        pages=pages,
        storage=known,
        users=Users(
            known,
            passwords,
            patience_of(configuration),
            key=token_key_of(configuration),
            clock=clock,
            declared=[user.password_hash.reveal() for user in configuration.users],
        ),
        devices=devices_of(configuration, clock, entropy),
        monitoring=monitoring,
        readiness=Readiness(storage, clock=clock, entropy=entropy),
        fetch=fetch_of(configuration),
        login_hints=LoginHints(known, [record for record in records if isinstance(record, Profile)]),
        entropy=entropy,
        metrics_allowed_from=configuration.metrics.allowed_from,
        endpoints=names_of(configuration, server),
        refusal_limits=RefusalLimits(configuration.limits.refusals_per_minute, clock, guessed_at(server)),
        proxies=proxies_of(configuration),
        logs_access=configuration.logs.access,
        request_hook=request_hook_of(configuration),
    )


def templates_of(configuration: Configuration) -> Templates:
    """Make the templates of the pages."""
    table = configuration.pages
    for name, folder in (("templates", table.templates), ("translations", table.translations)):
        if folder is not None and not folder.is_dir():
            raise ConfigurationError(f"pages.{name}", str(folder), "there is no such folder; name another, or make it")
    return Templates(
        () if table.templates is None else (FileSystemLoader(table.templates),),
        brand=brand_of(configuration),
        scopes=configuration.scopes,
        languages=table.languages,
        own_translations=table.translations,
    )


def brand_of(configuration: Configuration) -> Brand:
    """Make what the pages show of their operator."""
    table = configuration.pages
    logo = logo_of(configuration)
    try:
        return Brand(name=table.name, logo=logo, accent=table.accent, accent_dark=table.accent_dark)
    except ConfigurationError as error:
        raise ConfigurationError(f"pages.{error.setting}", error.value, error.remedy) from None


# By suffix; what a browser takes for an image.
_IMAGES = {".svg": "svg+xml", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp"}
MAX_LOGO = 100_000


def logo_of(configuration: Configuration) -> str | None:
    """Return the logo as a URL: a file goes into the page itself, since the server hands out no files."""
    logo = configuration.pages.logo
    if logo is None or logo.startswith(("https:", "data:")):
        return logo
    path = configuration.folder / logo
    check_readable("pages.logo", path)
    content = path.read_bytes()
    if path.suffix.lower() not in _IMAGES or len(content) > MAX_LOGO:
        remedy = f"use a file of up to {MAX_LOGO} bytes that ends in {', '.join(_IMAGES)}, or an https URL"
        raise ConfigurationError("pages.logo", logo, remedy)
    return f"data:image/{_IMAGES[path.suffix.lower()]};base64,{base64.b64encode(content).decode('ascii')}"


def pages_of(
    configuration: Configuration, server: AuthorizationServer, templates: Templates, clock: Clock, entropy: Entropy
) -> Pages:
    """Make the pages, whose key is derived, so that there is one secret to keep and not two."""
    key = hashlib.blake2b(b"oauthcore_h11 pages", key=token_key_of(configuration), digest_size=32).digest()
    return Pages(
        server,
        key=key,
        clock=clock,
        entropy=entropy,
        templates=templates,
        session_lifetime=configuration.pages.session_lifetime,
        account=configuration.paths.account,
        logout=configuration.paths.logout,
        requests=configuration.paths.requests,
    )


def patience_of(configuration: Configuration) -> Patience:
    """Say how much may be tried."""
    table = configuration.passwords
    return Patience(
        free=table.free_attempts,
        free_per_address=table.free_attempts_per_address,
        longest_wait=table.longest_wait,
        forget_time=table.forget_time,
    )


def devices_of(configuration: Configuration, clock: Clock, entropy: Entropy) -> Devices:
    """Say which browsers are known; the key is derived, as the pages' is."""
    key = hashlib.blake2b(b"oauthcore_h11 devices", key=token_key_of(configuration), digest_size=32).digest()
    return Devices(configuration.issuer, clock, entropy, configuration.passwords.known_device_lifetime, key)


def names_of(configuration: Configuration, server: AuthorizationServer) -> dict[str, str]:
    """Return the endpoint that each path is, for the counts."""
    base = server.base
    names = {base + path: name for name, path in attrs.asdict(configuration.paths).items()}
    return {**names, **dict.fromkeys(server.metadata_paths, "metadata")}
