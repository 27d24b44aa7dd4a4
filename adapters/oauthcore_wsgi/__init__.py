"""An authorization server, and the protection of routes by its tokens, in WSGI applications.

`OAuth` for any of them; `oauthcore_wsgi.flask` and `.bottle` speak those frameworks, `oauthcore_django` speaks Django.
"""

from oauthcore_wsgi.application import Embedded, OAuth
from oauthcore_wsgi.framework import Framework
from oauthcore_wsgi.protect import ACCESS, Bearer, ResourceMetadata, verify
from oauthcore_wsgi.wire import Answer, head_of

__all__ = ["ACCESS", "Answer", "Bearer", "Embedded", "Framework", "OAuth", "ResourceMetadata", "head_of", "verify"]
