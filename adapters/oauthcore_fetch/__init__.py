"""Asking other servers: what a world's `fetch` may be, on urllib3, behind a guard against being led astray."""

from oauthcore_fetch.async_fetcher import AsyncFetcher
from oauthcore_fetch.fetcher import Fetcher, FetchFailed

__all__ = ["AsyncFetcher", "FetchFailed", "Fetcher"]
