"""Where the browser is sent while a person is needed: to the application's pages, and back from them."""

from __future__ import annotations

from oauthcore.authorization.browser import resume_proof
from oauthcore.authorization.next_step import Need
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.records.interaction import Interaction
from oauthcore.redirect_uri import form_encoded
from oauthcore.wire.http import Headers, Response, see_other

# A user who may not use the client is told so where they would have been asked for consent.
_ON_CONSENT = frozenset({Need.CONSENT, Need.OTHER_ACCOUNT})


def send_to_page(needed: Need, handle: Secret, context: Context, cookies: Headers = ()) -> Response:
    """Send the browser to the application's page for what is needed."""
    page = context.paths.interaction
    if page is None:
        page = context.base + (context.paths.consent if needed in _ON_CONSENT else context.paths.login)
    return see_other(f"{page}?{form_encoded([('interaction', handle.reveal())])}", cookies)


def send_to_resume(handle: Secret, answered: Interaction, context: Context) -> Response:
    """Send the browser that answered to the resume path, with the proof that the answer was given in it."""
    proof = resume_proof(handle, answered, context)
    query = form_encoded([("interaction", handle.reveal()), ("proof", proof.reveal())])
    return see_other(f"{context.base}{context.paths.resume}?{query}")
