"""What OpenID Connect Discovery 1.0 adds to the metadata document (section 3), and the specifications around it."""

from __future__ import annotations

from oauthcore.jose.jwk import CONTENT_ENCRYPTIONS, ENCRYPTIONS
from oauthcore.openid import OpenID

# OIDC Back-Channel Logout section 2.1, Front-Channel Logout section 3.
_LOGOUT = tuple(
    f"{channel}_logout{of}_supported" for channel in ("backchannel", "frontchannel") for of in ("", "_session")
)


def openid_members(openid: OpenID, algorithms: tuple[str, ...]) -> dict[str, object]:
    """Return the members that an OpenID Provider adds; lists that would be empty are left out."""
    signing, encryption = list(algorithms), list(ENCRYPTIONS)
    members: dict[str, object] = {
        **dict.fromkeys(_LOGOUT, True),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": signing,
        "id_token_encryption_alg_values_supported": encryption,
        "id_token_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        "userinfo_signing_alg_values_supported": signing,
        "userinfo_encryption_alg_values_supported": encryption,
        "userinfo_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        "display_values_supported": ["page", "popup", "touch", "wap"],
        "claim_types_supported": ["normal"],
        "claims_supported": list(openid.claims),
        "claims_parameter_supported": True,
        "prompt_values_supported": sorted(openid.prompts),
    }
    offered = {
        "acr_values_supported": list(openid.acr_values),
        "ui_locales_supported": list(openid.ui_locales),
        "claims_locales_supported": list(openid.claims_locales),
        "service_documentation": openid.service_documentation,
        "op_policy_uri": openid.op_policy_uri,
        "op_tos_uri": openid.op_tos_uri,
    }
    return members | {name: value for name, value in offered.items() if value}
