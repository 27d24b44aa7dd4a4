"""The rules of FAPI 2.0 Message Signing (final) for authorization servers: three parts, each on its own."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.profiles.rule import Deployment, Problem, Rule

PARTS = ("requests", "responses", "introspection")
"""What is signed: authorization requests (section 5.3), their responses (5.4), introspection responses (5.5)."""

# Section 5.3.1: an object may be valid for an hour, and may have become valid an hour ago.
MAX_OBJECT_LIFETIME = 3_600

_MS = "FAPI 2.0 Message Signing section"


def _objects_are_required(deployment: Deployment) -> Problem | None:
    if deployment.request_objects.required:
        return None
    return Problem("request_objects.required", False, "demand it of all clients: RequestObjects(required=True)")


def _objects_are_short(deployment: Deployment) -> Problem | None:
    lifetime = deployment.request_objects.max_lifetime
    if lifetime is not None and lifetime <= MAX_OBJECT_LIFETIME:
        return None
    return Problem("request_objects.max_lifetime", lifetime, f"use {MAX_OBJECT_LIFETIME} seconds at most")


RULES_OF_PART: Mapping[str, tuple[Rule, ...]] = {
    "requests": (
        Rule(
            name="signed_requests",
            requirement="clients send each authorization request as a signed request object",
            source=f"{_MS} 5.3.1",
            setting="request_objects.required",
            server=_objects_are_required,
            authorization=lambda traits: traits.object_signing_alg is not None,
        ),
        Rule(
            name="request_object_lifetime",
            requirement="the aud of a request object is the issuer, and it is valid for an hour at most",
            source=f"{_MS} 5.3.1",
            setting="request_objects.max_lifetime",
            server=_objects_are_short,
        ),
    ),
    "responses": (
        Rule(
            name="signed_responses",
            requirement="authorization responses are signed: the response_mode is jwt, or ends in .jwt",
            source=f"{_MS} 5.4.1",
            authorization=lambda traits: traits.is_jwt_response,
        ),
    ),
    "introspection": (
        Rule(
            name="signed_introspection",
            requirement="introspection responses are signed if the resource server asks for that",
            source=f"{_MS} 5.5.1",
        ),
    ),
}
