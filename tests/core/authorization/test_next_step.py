"""What `prompt=none` is answered with, whatever is needed (OIDC Core section 3.1.2.6)."""

from __future__ import annotations

import pytest

from oauthcore import Need
from oauthcore.authorization.next_step import refusal_without_page


@pytest.mark.parametrize(
    ("needed", "code"),
    [
        (Need.LOGIN, "login_required"),
        (Need.CONSENT, "consent_required"),
        (Need.SELECT_ACCOUNT, "account_selection_required"),
        (Need.CREATE, "interaction_required"),
    ],
)
def test_each_need_has_its_own_error(needed: Need, code: str) -> None:
    assert refusal_without_page(needed).code == code
