"""An authorization server, and the protection of routes by its tokens, in ASGI applications.

`OAuth` for any of them; `oauthcore_asgi.starlette`, `.fastapi`, `.litestar` and `.quart` speak those frameworks, and
`oauthcore_asgi.aiohttp` speaks to one that is async without being ASGI.
"""

from oauthcore_asgi.application import Embedded, OAuth
from oauthcore_asgi.framework import Framework
from oauthcore_asgi.protect import ACCESS, Bearer, ResourceMetadata, verify
from oauthcore_asgi.wire import Answer

__all__ = ["ACCESS", "Answer", "Bearer", "Embedded", "Framework", "OAuth", "ResourceMetadata", "verify"]
