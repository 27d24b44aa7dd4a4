"""Login, approve and error pages for an authorization server: requests in, responses out, no I/O."""

from oauthcore_pages.looks import Looks
from oauthcore_pages.pages import Pages

__all__ = ["Looks", "Pages"]
