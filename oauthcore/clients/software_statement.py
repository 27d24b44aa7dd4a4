"""Software statements: what an issuer that is trusted says of the software that registers (RFC 7591 section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.clients.client_metadata import LOCALIZABLE
from oauthcore.clients.dynamic_registration import SoftwareStatementIssuer
from oauthcore.context import Context
from oauthcore.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS
from oauthcore.jose.registered_claims import audience_of, check_times, type_of
from oauthcore.per_request import per_request

# RFC 8725 section 3.11: a statement usually has no `typ`; a JWT that is marked as another type is refused.
TYPES = frozenset({"", "jwt", "software-statement+jwt"})


@per_request
class Stated:
    """Hold what a trusted issuer has signed; `text` is the statement as it came."""

    text: str
    issuer: str
    claims: Mapping[str, object]


def read_statement(text: object, issuers: tuple[SoftwareStatementIssuer, ...], context: Context) -> Stated:
    """Verify a statement with its issuer's keys.

    Raises `InvalidSoftwareStatement`, and `UnapprovedSoftwareStatement` if its issuer is not trusted.
    """
    if not isinstance(text, str):
        raise InvalidSoftwareStatement("it is no string")
    try:
        issuer = read_claims(read_signed(text).payload).get("iss")
        trusted = next((known for known in issuers if known.issuer == issuer), None)
        if trusted is None:
            raise UnapprovedSoftwareStatement("its issuer is not trusted")
        verified = context.verify(text, trusted.keys, ASYMMETRIC_ALGORITHMS)
        # RFC 7591 section 2.3 leaves it to the issuer whether a statement expires; software has no lifetime.
        check_times(verified.claims, context.now, must_expire=False)
        audience = audience_of(verified.claims)
    except InvalidJwt as invalid:
        raise InvalidSoftwareStatement(str(invalid)) from None
    if type_of(verified.header) not in TYPES:
        raise InvalidSoftwareStatement("it says that it is something else")
    if "aud" in verified.claims and context.issuer not in audience:
        raise InvalidSoftwareStatement("it is for another server")
    return Stated(text, trusted.issuer, verified.claims)


def stated_metadata(members: Mapping[str, object], stated: Stated) -> dict[str, object]:
    """Return the metadata with the statement's values in place of those beside it (RFC 7591 section 2.3).

    If the name is signed, unsigned translations of it are dropped, since the page would show those.
    """
    signed = {name: value for name, value in stated.claims.items() if value is not None}
    names = {name.partition("#")[0] for name in signed} & LOCALIZABLE
    # The two exclude each other (section 2): keys that are signed leave no room for others.
    names |= {"jwks", "jwks_uri"} if signed.keys() & {"jwks", "jwks_uri"} else set()
    return {name: value for name, value in members.items() if name.partition("#")[0] not in names} | signed
