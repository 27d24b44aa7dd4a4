"""Login, approve, account and error pages for an authorization server: requests in, responses out, no I/O."""

from oauthcore_pages.brand import Brand
from oauthcore_pages.pages import Pages
from oauthcore_pages.rendering import Templates

__all__ = ["Brand", "Pages", "Templates"]
