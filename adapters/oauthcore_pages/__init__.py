"""Login, approve, account and error pages for an authorization server: requests in, responses out, no I/O."""

from oauthcore_pages.brand import Brand
from oauthcore_pages.looks import Looks
from oauthcore_pages.pages import Pages

__all__ = ["Brand", "Looks", "Pages"]
