"""The checklist of MCP: what is asked for, what does it, and which tests say so: docs/mcp-checklist.md is made of it.

Tests are found by their names, `test_a1_…`, by a docstring that begins with the row, or are named here. Run as a
program it writes the page.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import attrs

TESTS = Path(__file__).parent.parent
PAGE = TESTS.parent / "docs" / "mcp-checklist.md"

_NAMED = re.compile(r"test_((?:[a-i]\d{1,2}_)+)", re.IGNORECASE)
_SAID = re.compile(r"((?:[A-I]\d{1,2}(?:, | and )?)+)[.;:,]")
_ID = re.compile(r"[A-I]\d{1,2}")


@attrs.frozen
class Row:
    """Say what a row asks for, which module does it, which tests show it without saying so, and what is not there."""

    asks: str
    module: str
    tests: tuple[str, ...] = ()
    missing: str = ""


CODE, REFRESH = "core/grants/test_authorization_code.py::test_", "core/grants/test_refresh_token.py::test_"
METADATA, AUTHORIZE = "core/endpoints/test_metadata.py::test_", "core/endpoints/test_authorization.py::test_"
REVOKE, KEYS = "core/endpoints/test_revocation.py::test_", "core/clients/test_private_key_jwt.py::test_"
URIS, PAGES = "core/test_redirect_uri.py::test_", "pages/test_pages.py::test_"
FETCH = "fetch/test_fetcher.py::test_"
MEET = "core/test_interleavings.py::test_"

ROWS: Mapping[str, Row] = {
    "A1": Row("metadata (RFC 8414) before the issuer's path", "oauthcore.endpoints.metadata"),
    "A2": Row("the same at OpenID Connect's places; no page and no redirect if there is none", "oauthcore.issuer"),
    "A3": Row("the members that clients insist on", "oauthcore.endpoints.metadata"),
    "A4": Row("a member only where it is on", "oauthcore.endpoints.metadata", (METADATA + "the_default_document", METADATA + "it_follows_what_is_enabled")),
    "A5": Row("no `Accept`, any `MCP-Protocol-Version`", "oauthcore.server"),
    "A6": Row("CORS but for the authorization endpoint, errors too", "oauthcore.wire.cors"),
    "A7": Row("issuer from configuration; two on one host", "oauthcore.server"),
    "A8": Row("the issuer stays as it was configured, byte by byte", "oauthcore.endpoints.metadata", (METADATA + "the_issuer_is_never_normalised",)),
    "B1": Row("unknown client or redirect URI: a page", "oauthcore.authorization", (AUTHORIZE + "whatever_fails_before_the_redirect_uri_is_proven_is_an_error_page",)),
    "B2": Row("PKCE with S256 is demanded", "oauthcore.pkce"),
    "B3": Row("redirect URIs exactly, but for the port of a loopback one", "oauthcore.redirect_uri", (URIS + "a_loopback_uri_matches_with_any_port", URIS + "everything_else_of_a_loopback_uri_must_be_the_same", URIS + "any_other_uri_matches_to_the_byte_or_not_at_all")),
    "B4": Row("`iss` and `state` once, unchanged, in success and error", "oauthcore.authorization", (URIS + "parameters_are_added_and_nothing_else_is_touched",)),
    "B5": Row("`resource` none, one, many; `invalid_target`", "oauthcore.grants.audience"),
    "B6": Row("comparison of resources", "oauthcore.resource_uri"),
    "B7": Row("no `resource`: the default", "oauthcore.resources"),
    "B8": Row("a repeated parameter is refused", "oauthcore.wire.parameters", (AUTHORIZE + "a_repeated_parameter_is_an_error_page",)),
    "B9": Row("`prompt`", "oauthcore.authorization", (AUTHORIZE + "prompt_consent_asks_even_who_has_consented", AUTHORIZE + "prompt_none_with_nobody_signed_in_is_login_required")),
    "B10": Row("unknown scopes by policy; the granted scope is told", "oauthcore.policy"),
    "B11": Row("the consent page says who is answered, and can't be framed", "oauthcore_pages.approve", (PAGES + "no_page_may_be_framed_kept_or_refer", PAGES + "policy_allows_the_page_its_style_and_nothing_else", PAGES + "form_of_nobody_is_refused")),
    "B12": Row("no `state`", "oauthcore.authorization"),
    "C1": Row("a code for tokens, JSON, `no-store`", "oauthcore.grants.authorization_code", (CODE + "the_answer_has_what_the_quick_start_shows",)),
    "C2": Row("a code twice: `invalid_grant`, and its tokens end", "oauthcore.grants.authorization_code", (CODE + "a_replayed_code_revokes_its_grant",)),
    "C3": Row("a code with anything wrong, and what leaves it good", "oauthcore.grants.authorization_code", (CODE + "a_wrong_attempt_does_not_spend_the_code", CODE + "a_code_is_refused_to_who_does_not_prove_that_it_is_his", CODE + "an_expired_code_is_refused")),
    "C4": Row("Basic with and without `client_id` in the body", "oauthcore.clients"),
    "C5": Row("Basic percent-encoded and raw", "oauthcore.clients.client_secret_basic", ("core/clients/test_client_secret_basic.py::test_percent_encoding_is_undone_first_and_the_raw_reading_is_kept",)),
    "C6": Row("the registered method, and no other", "oauthcore.clients"),
    "C7": Row("`invalid_client` is 401, never 500", "oauthcore.clients"),
    "C8": Row("`private_key_jwt`", "oauthcore.clients.private_key_jwt", (KEYS + "an_assertion_that_says_it_wrong_is_refused", KEYS + "the_url_of_the_endpoint_is_an_audience_where_that_is_allowed_by_name")),
    "C9": Row("`resource` at the token endpoint is within the grant", "oauthcore.grants.audience"),
    "C10": Row("JWT access tokens (RFC 9068)", "oauthcore.grants.jwt_access_token"),
    "C11": Row("a body that can't be read is an OAuth error", "oauthcore.wire.parameters"),
    "C12": Row("unknown and foreign grant types", "oauthcore.endpoints.token", ("core/endpoints/test_token.py::test_an_unknown_grant_type_is_not_supported",)),
    "C13": Row("rate limits are OAuth JSON with `Retry-After`", "oauthcore_h11.refusal_limits", missing="a host of your own limits what it likes: the reference server counts refusals of a client from one address, and registrations"),
    "D1": Row("rotation, and reuse ends the grant", "oauthcore.grants.refresh_token", (REFRESH + "the_newest_token_rotates_in_one_commit", REFRESH + "the_same_act_after_the_window_is_reuse")),
    "D2": Row("within the grace window the same pair again", "oauthcore.grants.refresh_token", (REFRESH + "a_retry_changes_nothing_and_gives_the_same_pair", MEET + "two_refreshes_of_one_token_get_the_same_pair"), missing="not fifty at once: all orders of two, and sixteen processes that refresh one token on each database (`*/test_crowd.py`)"),
    "D3": Row("scope narrows and never widens", "oauthcore.grants.refresh_token", (REFRESH + "the_scope_may_narrow", REFRESH + "the_scope_never_widens", REFRESH + "another_clients_refresh_token_is_refused_and_stays_good")),
    "D4": Row("`resource` at the refresh; revocation", "oauthcore.endpoints.revocation", (REVOKE + "another_clients_token_is_refused_and_stays_live", REVOKE + "an_unknown_token_is_as_good_as_revoked", REVOKE + "revoking_a_refresh_token_ends_its_grant")),
    "D5": Row("idle and absolute lifetimes", "oauthcore.grants.refresh_token", (REFRESH + "an_idle_token_expires", REFRESH + "a_token_that_is_used_lasts_until_the_absolute_lifetime")),
    "E1": Row("registration: 201, and all that is registered", "oauthcore.endpoints.registration"),
    "E2": Row("a client that names no method is told which it has", "oauthcore.clients.negotiation"),
    "E3": Row("the redirect URIs of Cursor, Claude, ChatGPT, and what is refused", "oauthcore.clients.client_metadata"),
    "E4": Row("what is not offered is left out", "oauthcore.clients.negotiation"),
    "E5": Row("what strangers can have remembered is bounded", "oauthcore.clients.dynamic_registration"),
    "E6": Row("management (RFC 7592)", "oauthcore.endpoints.client_configuration"),
    "F1": Row("which URLs are clients, and what their documents must say", "oauthcore.client_id_metadata"),
    "F2": Row("no fetch from private addresses, by redirects, without end", "oauthcore_fetch.guard", (FETCH + "address_that_is_not_public_is_forbidden", FETCH + "address_in_disguise_is_seen_through", FETCH + "name_with_one_private_address_is_forbidden", FETCH + "address_that_was_looked_at_is_the_one_connected_to", FETCH + "redirect_is_an_answer_like_any_other", FETCH + "answer_that_is_too_large_is_given_up", FETCH + "answer_that_takes_too_long_is_given_up")),
    "F3": Row("documents are kept, and refreshed", "oauthcore.clients.metadata_document"),
    "F4": Row("ChatGPT's document", "oauthcore.clients.metadata_document"),
    "F5": Row("no secrets in documents; trust by host", "oauthcore.client_id_metadata"),
    "G1": Row("the resource's metadata (RFC 9728)", "oauthcore.resource.metadata"),
    "G2": Row("no credentials: one challenge, no `error`", "oauthcore.resource.bearer"),
    "G3": Row("a token that is no good", "oauthcore.resource.jwt_tokens"),
    "G4": Row("a token for another resource", "oauthcore.resource.server"),
    "G5": Row("403 with all scopes; hierarchy", "oauthcore_mcp.protect"),
    "G6": Row("`/mcp` and `/mcp/`, streams, the scheme's spelling", "oauthcore_mcp.protect"),
    "G7": Row("keys and answers kept; 503 where nobody answers", "oauthcore.resource.jwt_tokens"),
    "H1": Row("client credentials", "oauthcore.grants.client_credentials"),
    "H2": Row("identity assertions (ID-JAG), at the resource's server", "oauthcore.grants.jwt_bearer", missing="`cnf` and `authorization_details` in one are refused, since neither can be kept in a token here"),
    "H3": Row("identity assertions, at the identity provider", "oauthcore.grants.id_jag", missing="an ID token or refresh token is exchanged, no SAML assertion; an `actor_token` is refused"),
    "H4": Row("DPoP: proofs, nonces, tokens that are bound to the key", "oauthcore.resource.dpop", ("core/dpop/test_token_endpoint.py::test_a_token_is_bound_to_the_key_of_the_proof", "core/dpop/test_nonces.py::test_proof_without_a_good_nonce_is_answered_with_one")),
    "H5": Row("workload identity", "oauthcore.grants.jwt_bearer"),
    "I1": Row("real clients: Python, TypeScript 1.x and 2.x, FastMCP", "tests/mcp, tests/mcp_clients", missing="version 1 of the TypeScript SDK steps up by itself only without a refresh token (mcp.md). The Python client has `private_key_jwt` for client credentials alone; people log in by it with the TypeScript ones"),
    "I2": Row("the conformance suite", "tests/mcp_clients"),
    "I3": Row("three replicas, restarts, a TLS proxy", "tests/mcp"),
    "I4": Row("the cases of workers-oauth-provider's suite", "tests/mcp"),
}  # fmt: skip


@cache
def found() -> Mapping[str, tuple[str, ...]]:
    """Return the tests that say which rows they are of."""
    names_of: dict[str, list[str]] = defaultdict(list)
    for name, function in functions().items():
        named = _NAMED.match(function.name)
        said = _SAID.match(ast.get_docstring(function) or "")
        rows = _ID.findall((named[1].upper() if named else "") + " " + (said[1] if said else ""))
        for row in dict.fromkeys(rows):
            names_of[row].append(name)
    return {row: tuple(names) for row, names in names_of.items()}


@cache
def functions() -> Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every test, by its file and name."""
    return {
        f"{path.relative_to(TESTS).as_posix()}::{node.name}": node
        for path in sorted(TESTS.rglob("test_*.py"))
        if "node_modules" not in path.parts
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def files_of(row: str) -> tuple[str, ...]:
    """Return the files with tests of a row."""
    return tuple(sorted({name.partition("::")[0] for name in (*found().get(row, ()), *ROWS[row].tests)}))


def document() -> str:
    """Return the page."""
    lines = [
        "# MCP's checklist",
        "",
        "What the specification of the Model Context Protocol and its clients ask of an authorization server (A to F, H), of a protected",
        "resource (G), and what is to be shown with real clients (I). The files are below `tests/`.",
        "`python -m tests.mcp.checklist` writes this page; a test holds it to what there is.",
        "",
        "| | what is asked for | where | tests | not there |",
        "|---|---|---|---|---|",
    ]
    for id, row in ROWS.items():
        tests = ", ".join(f"`{name}`" for name in files_of(id))
        module = f"`{row.module}`" if row.module else ""
        lines.append(f"| {id} | {row.asks} | {module} | {tests} | {row.missing} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
