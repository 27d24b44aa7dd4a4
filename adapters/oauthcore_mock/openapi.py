"""The OpenAPI document of the control API, generated from its operations."""

from __future__ import annotations

from oauthcore.wire.text import ascii_lower
from oauthcore_mock.operations import BASE, OPERATIONS, Operation


def document() -> dict[str, object]:
    """Return the OpenAPI document of all operations."""
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(BASE + operation.path, {})[ascii_lower(operation.method)] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "oauthcore mock: control",
            "version": "1",
            "description": "What tests in any language say to a provider for tests.",
        },
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM}},
    }


_PROBLEM: dict[str, object] = {
    "type": "object",
    "required": ["status", "detail"],
    "properties": {"status": {"type": "integer"}, "detail": {"type": "string"}},
}


def _described(operation: Operation) -> dict[str, object]:
    named = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    parameters: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named
    ]
    answer: dict[str, object] = {"description": operation.summary}
    if operation.status != 204:
        answer["content"] = {"application/json": {"schema": {}}}
    wrong = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation_object: dict[str, object] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {
            str(operation.status): answer,
            "4XX": {"description": "What is wrong with the request.", "content": wrong},
        },
    }
    if operation.method == "POST":
        schema: dict[str, object] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {field.name: field.schema for field in operation.fields},
        }
        required = [field.name for field in operation.fields if field.required]
        if required:
            schema["required"] = required
        operation_object["requestBody"] = {
            "required": bool(required),
            "content": {"application/json": {"schema": schema}},
        }
    else:
        parameters += [
            {"name": field.name, "in": "query", "schema": field.schema, "required": field.required}
            for field in operation.fields
        ]
    if parameters:
        operation_object["parameters"] = parameters
    return operation_object
