"""The requests that an issuer for tests got, as values, with assertions that say what was sent instead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

import attrs

from oauthcore import Request, Response
from oauthcore.jose.strict_json import parse_object
from oauthcore.wire.text import ascii_lower

# The limit of recorded requests, for a server that outlives many tests.
MANY = 1_000


@attrs.frozen
class RecordedRequest:
    """Hold a request and its result.

    `endpoint` is its name as in `fail_next`, blank if there is none; `form` and `query` are its parameters, of which
    the last counts if one is repeated. `error` is the code of the response, blank if there is none, and `reason` its
    cause, which was not sent.
    """

    endpoint: str
    method: str
    path: str
    query: Mapping[str, str] = attrs.field(repr=False)
    form: Mapping[str, str] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    status: int
    error: str = ""
    reason: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of query and form together."""
        return {**self.query, **self.form}

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Describe the request and its result in one line."""
        why = f" {self.error}: {self.reason}" if self.error or self.reason else ""
        return f"{self.method} {self.path} -> {self.status}{why}"


def recorded(endpoint: str, request: Request, response: Response) -> RecordedRequest:
    """Return a request as it is recorded."""
    refusal = response.refusal
    error = _error_in(response) if refusal is None else refusal.code
    return RecordedRequest(
        endpoint=endpoint,
        method=request.method,
        path=request.path,
        query=dict(parse_qsl(request.query, keep_blank_values=True)),
        form=_form_of(request),
        headers={ascii_lower(name): value for name, value in request.headers},
        status=response.status,
        error=error,
        reason="" if refusal is None else refusal.reason,
    )


def _form_of(request: Request) -> dict[str, str]:
    kind = request.header("content-type") or ""
    if not kind.startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _error_in(response: Response) -> str:
    """Return the error in a redirect to the client, for a response that is not a refusal itself."""
    location = response.header("location")
    if location is not None:
        parts = urlsplit(location)
        return dict(parse_qsl(parts.query or parts.fragment)).get("error", "")
    if response.status >= 400 and response.body[:1] == b"{":
        return str(parse_object(response.body).get("error", ""))
    return ""


class Recorder:
    """`issuer.requests`: the requests in order, as a sequence."""

    def __init__(self, length: int | None = None) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=length)

    def add(self, request: RecordedRequest) -> None:
        """Record a request."""
        self._requests.append(request)

    def clear(self) -> None:
        """Forget all recorded requests."""
        self._requests.clear()

    def of(self, endpoint: str) -> list[RecordedRequest]:
        """Return the requests to an endpoint."""
        return [request for request in self._requests if request.endpoint == endpoint]

    def last(self, endpoint: str | None = None) -> RecordedRequest:
        """Return the last request, to an endpoint if one is named; raises `AssertionError` if there is none."""
        found = list(self._requests) if endpoint is None else self.of(endpoint)
        if not found:
            raise AssertionError(f"no request came to {endpoint or 'the issuer'}; {self}")
        return found[-1]

    def assert_sent(self, endpoint: str, **parameters: str | None) -> RecordedRequest:
        """Return the last request to an endpoint with these parameters, in its form or query.

        A parameter of None must not be present. Raises `AssertionError`, which lists the requests that came instead.
        """
        for request in reversed(self.of(endpoint)):
            if all(request.parameters.get(name) == value for name, value in parameters.items()):
                return request
        wanted = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        came = "\n".join(f"  {request}  {request.parameters}" for request in self.of(endpoint))
        raise AssertionError(f"no request to {endpoint} has {wanted}; these came:\n{came or '  none'}\n{self}")

    def assert_count(self, endpoint: str, count: int) -> None:
        """Raise `AssertionError` unless this many requests came to an endpoint."""
        came = len(self.of(endpoint))
        if came != count:
            raise AssertionError(f"{came} requests came to {endpoint}, and not {count}; {self}")

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(list(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def __getitem__(self, index: int) -> RecordedRequest:
        return self._requests[index]

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """List the requests, one per line."""
        lines = "\n".join(f"  {request}" for request in self._requests)
        return f"the issuer was asked:\n{lines}" if lines else "the issuer was asked nothing"
