"""Devices at an issuer for tests: who presents a user code answers for the user (RFC 8628 section 3.3).

The verification URI with a code in it is answered at once by the next user in line. Without a code, or where users see
a page, it asks for the code and for who they are.
"""

from __future__ import annotations

from html import escape

from oauthcore import AuthorizationServer, Login, OAuthError, Request, Response, World, run
from oauthcore.device_grant import DeviceGrant
from oauthcore.records.lifecycle import DeviceState
from oauthcore_mock.form import decision_of, form_values, page
from oauthcore_mock.people import Decision, People

# A test asks again at once, and enters as many codes as it wants.
SETTINGS = DeviceGrant(interval=1, max_wrong_of_user=None, max_wrong_from_address=None, max_from_address=None)


def device_page(code: str, people: People, problem: str = "") -> Response:
    """Ask for a code, and for the user who answers."""
    said = f'<p role="alert"><strong>{escape(problem)}</strong>' if problem else ""
    fields = (
        f'<p><label>Code<input name="user_code" value="{escape(code)}" required></label>'
        f'<p><label>User (sub)<input name="sub" value="{escape(people.default.sub)}" required></label>'
    )
    buttons = '<p><button name="allow" value="1">Allow</button><button name="deny" value="1">Deny</button>'
    return page(400 if problem else 200, "Connect a device", f'{said}<form method="post">{fields}{buttons}</form>')


def answer_device(
    server: AuthorizationServer,
    world: World,
    people: People,
    request: Request,
    code: str,
    login: Login,
    decided: Decision,
) -> Response:
    """Enter a code as a user, and allow or deny what waits with it."""
    try:
        pending = run(server.devices.enter(code, login, request), world)
        if pending is None:
            return device_page(code, people, "No device waits with this code.")
        allowed = [token for token in pending.scope if decided.scope is None or token in decided.scope]
        devices, denies = server.devices, decided.denies
        answering = devices.deny(pending.id, login) if denies else devices.finish(pending.id, login, allowed)
        state = run(answering, world)
    except OAuthError as error:
        return device_page(code, people, str(error))
    done = "allowed" if state is DeviceState.APPROVED else "denied"
    return page(200, "Connect a device", f"<p>{escape(decided.user.sub)} has {done} it.")


def posted(request: Request, people: People) -> tuple[str, Decision | str]:
    """Return the code that was typed into the page, and who decided what; a text says what is wrong."""
    values = form_values(request)
    return values.get("user_code", ""), decision_of(values, people)
