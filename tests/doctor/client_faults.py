"""For each known client, a deployment at which it fails: one change of a good one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from oauthcore import Outgoing, Response
from oauthcore_doctor import CLIENTS, Report
from oauthcore_doctor.clients import KnownClient
from tests.doctor.deployments import Deployment, good, page
from tests.doctor.faults import FAULTS, OAUTH, OPENID, answer, challenge, setting, without

Plant: TypeAlias = Callable[[], Deployment]
Row: TypeAlias = tuple[str, str]
ROOT, PATH = "root, openid, mcp", "path, no openid, mcp"


def root(*changes: Callable[[Outgoing, Response], Response]) -> Plant:
    """Return the good server at the root with changes, one after another."""

    def change(request: Outgoing, response: Response) -> Response:
        for each in changes:
            response = each(request, response)
        return response

    return lambda: attrs.evolve(good(ROOT), change=change)


def planted(name: str) -> Plant:
    """Return a deployment with a fault of the table."""
    fault = FAULTS[name]
    return lambda: fault.plant(good(PATH if fault.path else ROOT))


def leading_nowhere() -> Deployment:
    """Name a place in the challenge where there is nothing, for a server that is not at the resource's root."""
    elsewhere = challenge(lambda said: said.replace("/.well-known/oauth-protected", "/.well-known/other"))
    return attrs.evolve(good(PATH), change=elsewhere)


def inserted_alone() -> Deployment:
    """Have OpenID metadata before the issuer's path, and not behind it."""
    deployment = good(PATH)
    origin, _, path = deployment.issuer.rpartition("/")
    documents = deployment.fetch(Outgoing("GET", f"{origin}{OAUTH}/{path}")).response
    assert documents is not None
    members = json.loads(documents.body)
    more = {"jwks_uri": f"{deployment.issuer}/jwks", "subject_types_supported": ["public"]}
    body = json.dumps({**members, **more, "id_token_signing_alg_values_supported": ["RS256"]}).encode()
    document = attrs.evolve(documents, body=body)

    def change(request: Outgoing, response: Response) -> Response:
        return document if request.url == f"{origin}{OPENID}/{path}" else response

    return attrs.evolve(deployment, change=change)


MCP_TYPESCRIPT, OPENID_CLIENT = "MCP SDK for TypeScript", "openid-client 6, oauth4webapi 3"
AT: Mapping[Row, Plant] = {
    ("MCP SDK for Python", "reads metadata by a model"): planted("no token endpoint"),
    ("MCP SDK for Python", "compares the issuer as a string"): planted("a slash at the end of the issuer"),
    ("MCP SDK for Python", "stops at the first 5xx of discovery"): root(answer(OAUTH, page(502))),
    (MCP_TYPESCRIPT, "parses OpenID metadata by a schema"): root(
        answer(OAUTH, page(404)), without("subject_types_supported")
    ),
    (MCP_TYPESCRIPT, "needs code among the response types"): planted("no code"),
    (MCP_TYPESCRIPT, "needs S256 where there is a list"): root(setting(code_challenge_methods_supported=["plain"])),
    (MCP_TYPESCRIPT, "follows the link of the challenge alone"): leading_nowhere,
    (MCP_TYPESCRIPT, "reads challenges that begin with Bearer or DPoP"): root(
        challenge(lambda said: f'Basic realm="x", {said}')
    ),
    ("MCP Inspector", "runs in a browser"): planted("metadata closed to scripts"),
    ("VS Code", "compares the resource as a URL"): planted("metadata of another resource"),
    ("Claude Code", "registers, or has to be given a client_id"): planted("no way to register"),
    ("Cursor", "registers dynamically"): root(without("registration_endpoint")),
    ("ChatGPT", "registers, or has to be given a client_id"): planted("no way to register"),
    ("ChatGPT", "needs S256 to be announced"): planted("PKCE not announced"),
    (OPENID_CLIENT + ", Auth.js", "compares the issuer as a URL"): planted("another host as issuer"),
    (OPENID_CLIENT + ", Auth.js", "follows no redirect"): planted("discovery redirects to a slash"),
    (OPENID_CLIENT + ", Auth.js", "needs the content type of JSON"): planted("a key set as text"),
    (OPENID_CLIENT, "takes https alone"): planted("http in an endpoint"),
    ("go-oidc", "compares the issuer as a string"): planted("a slash at the end of the issuer"),
    ("go-oidc", "looks behind the path of the issuer alone"): inserted_alone,
    ("mod_auth_openidc", "looks behind the path of the issuer alone"): inserted_alone,
    ("mod_auth_openidc", "needs a response type that it knows"): root(setting(response_types_supported=["token"])),
    ("mod_auth_openidc", "needs an authorization endpoint"): planted("no authorization endpoint"),
    ("Authlib", "needs jwks_uri for ID tokens"): planted("OpenID metadata without keys"),
    ("mozilla-django-oidc", "reads kid of every key"): planted("a key without a name"),
    ("mozilla-django-oidc", "asks UserInfo at each sign-in"): root(without("userinfo_endpoint")),
    ("MSAL for Python", "takes https with a path alone"): lambda: good("demo"),
}


def row_of(row: Row) -> KnownClient:
    """Return a row of the doctor's table."""
    client, what = row
    (found,) = (each for each in CLIENTS if each.name.split(" (")[0] == client and each.what == what)
    return found


def fails(row: Row, report: Report) -> bool:
    """Return whether the doctor says that this client fails for this reason."""
    return bool(list(row_of(row).fails(report.observations)))
