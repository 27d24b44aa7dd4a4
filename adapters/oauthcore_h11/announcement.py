"""What the demo says once it listens: one line for programs, or the quick start for people."""

from __future__ import annotations

import json
from urllib.parse import quote

from oauthcore.ciba import GRANT_TYPE as CIBA
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from oauthcore_h11.demo import GATEWAY_CLIENT, LIFETIMES, PASSWORD, TEST_CLIENT, TILL_CLIENT, USERNAME, Demo

# A payment of the type that the demo knows.
PAYMENT_DETAILS = (
    '[{"type":"payment_initiation","instructedAmount":{"amount":"12.50","currency":"EUR"},"creditorName":"Shop"}]'
)

_FOR_PEOPLE = """\
oauthcore demo at {issuer}
In memory, on the loopback interface only, with passwords that everybody knows: a demo, not a server to rely on.

1. Open this in a browser; sign in as {username} with the password {password}, and allow the access:

   {authorize_url}

   The next time you are asked again whether to allow it, unless you tick that this is to be remembered.

2. The browser ends at {redirect_uri}?code=...; redeem that code within {minutes} minutes:

   curl {token_address} \\
       -u '{client_id}:{secret}' \\
       -d 'grant_type=authorization_code' \\
       -d 'code=CODE' \\
       -d 'redirect_uri={redirect_uri}'

3. Take the refresh_token of the answer, and get new tokens for it:

   curl {token_address} \\
       -u '{client_id}:{secret}' \\
       -d 'grant_type=refresh_token' \\
       -d 'refresh_token=REFRESH_TOKEN'

4. Let a second client exchange the access_token of the answer for one that is good at another API only:

   curl {token_address} \\
       -u '{gateway_id}:{gateway_secret}' \\
       -d 'grant_type={exchange}' \\
       -d 'subject_token=ACCESS_TOKEN' \\
       -d 'subject_token_type={token_type}access_token'

5. Or be a television, in another terminal: it shows a code, which is entered at {issuer}/device

   oauthcore device-login {issuer}

6. Or be a till, which asks {username} on their own device; the answer has an auth_req_id:

   curl {backchannel_address} \\
       -u '{till_id}:{till_secret}' \\
       -d 'scope=openid email' \\
       -d 'login_hint={username}' \\
       -d 'binding_message=W4SCT'

   Within two minutes, open {issuer}/requests, sign in, compare W4SCT, and allow it:

   curl {token_address} \\
       -u '{till_id}:{till_secret}' \\
       -d 'grant_type={ciba}' \\
       -d 'auth_req_id=AUTH_REQ_ID'

7. Or ask for a payment, which is allowed by itself, and stands in the answer of step 3:

   {payment_url}

Ctrl-C ends it.
"""

_FOR_PEOPLE_WITH_MCP = """\
oauthcore demo at {issuer}
In memory, on the loopback interface only, with passwords that everybody knows: a demo, not a server to rely on.

1. A protected MCP endpoint is at {mcp}; add it to an MCP client, such as Claude Code:

   claude mcp add --transport http demo {mcp}

   Or write it into the client's file of servers:

   {{"mcpServers": {{"demo": {{"type": "http", "url": "{mcp}"}}}}}}

2. The client registers itself and opens a browser; sign in as {username} with the password {password}, and allow the
   access. The tools whoami and read_note take the scope "read"; for write_note the client has to ask for "write", too.

3. See what a client without a token is told:

   curl -i {mcp_address}

Ctrl-C ends it.
"""


def for_programs(demo: Demo) -> str:
    """Return the issuer and every endpoint as one line of JSON."""
    return json.dumps(demo.addresses()) + "\n"


def for_people(demo: Demo) -> str:
    """Return the quick start, with this demo's addresses."""
    if demo.mcp is not None:
        url = demo.mcp.url
        return _FOR_PEOPLE_WITH_MCP.format(
            issuer=demo.server.issuer,
            mcp=url,
            mcp_address=url.removeprefix("http://"),
            username=USERNAME,
            password=PASSWORD,
        )
    client, secret = TEST_CLIENT
    gateway, gateway_secret = GATEWAY_CLIENT
    till, till_secret = TILL_CLIENT
    redirect_uri = client.redirect_uris[0]
    addresses = demo.addresses()
    query = (
        f"client_id={client.client_id}&redirect_uri={quote(redirect_uri, safe='')}"
        "&response_type=code&state=somestate&scope=email"
    )
    return _FOR_PEOPLE.format(
        issuer=addresses["issuer"],
        username=USERNAME,
        password=PASSWORD,
        authorize_url=f"{addresses['authorization_endpoint']}?{query}",
        token_address=addresses["token_endpoint"].removeprefix("http://"),
        client_id=client.client_id,
        secret=secret,
        redirect_uri=redirect_uri,
        gateway_id=gateway.client_id,
        gateway_secret=gateway_secret,
        exchange=GRANT_TYPE,
        payment_url=f"{addresses['authorization_endpoint']}?{query}&authorization_details={quote(PAYMENT_DETAILS)}",
        till_id=till.client_id,
        till_secret=till_secret,
        ciba=CIBA,
        backchannel_address=addresses["backchannel_authentication_endpoint"].removeprefix("http://"),
        token_type=TOKEN_TYPE,
        minutes=LIFETIMES.authorization_code_lifetime // 60,
    )
