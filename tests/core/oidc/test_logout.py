"""RP-Initiated and Front-Channel Logout: who may send whom where (both 1.0)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Allowance, Client, ConfigurationError, Login, PendingLogout, Request, Response
from oauthcore.endpoints.end_session import LogoutFacts, check_request
from oauthcore.errors import InvalidRequest
from oauthcore.flow.outcome import Delete, Replace
from oauthcore.oidc.front_channel import SignedOut, plain_signed_out_page
from oauthcore.oidc.id_token_hint import Hint
from oauthcore.oidc.sid import sid_for
from oauthcore.records.client import DynamicRegistration
from oauthcore.signing.keys import GivenKeys
from oauthcore.wire.parameters import parse_form
from tests.core.oidc.provider import PAIRWISE, RP, context_of, provider, use_keys
from tests.core.oidc.test_requests import redeem, remembered, signing
from tests.core.oidc.test_sessions import sessions, signed_in
from tests.core.signing_keys import key_for
from tests.core.site import Drive, Site, form, location, make_site, params, refused_by_page

BYE = "https://rp.example/bye"
FRONT = "https://rp.example/front?x=1"
LEAVING = attrs.evolve(RP, post_logout_redirect_uris=(BYE, f"{BYE}?a=b"), frontchannel_logout_uri=FRONT)
OTHER = attrs.evolve(PAIRWISE, post_logout_redirect_uris=("https://pairwise.example/bye",))


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider that signs, under each driver."""
    return signing(provider(drive, clients=(LEAVING, OTHER)))


def hint_of(site: Site, login: Login) -> str:
    """Return an ID token of the client's."""
    return str(redeem(site, remembered(site, login)["code"])["id_token"])


def left(site: Site, **parameters: str | None) -> Response:
    """Be sent by a client to sign out."""
    return site.get("/end-session?" + form(**parameters).decode())


def pending(site: Site, response: Response, login: Login | None) -> PendingLogout:
    """Look at a logout, as the application's page does."""
    found = site.drive(site.server.sessions.find_logout(params(response)["logout"], login), site.world)
    assert isinstance(found, PendingLogout)
    return found


def confirmed(site: Site, response: Response | None, login: Login | None, **more: Any) -> Response:
    """Say yes, as the application reports it."""
    cookies = () if site.cookie is None else (("Cookie", site.cookie),)
    handle = None if response is None else params(response)["logout"]
    request = Request("POST", "/logout", cookies)
    answer = site.drive(site.server.sessions.sign_out(request, login, handle, **more), site.world)
    assert isinstance(answer, Response)
    return answer


def test_a_person_is_asked_ends_his_session_and_is_sent_back(site: Site) -> None:
    login = signed_in(site)
    sent = left(site, client_id="rp", post_logout_redirect_uri=BYE, state="a b&c", logout_hint="al", ui_locales="de en")

    assert location(sent).startswith("/logout?logout=")
    found = pending(site, sent, login)
    assert (found.client, found.must_ask, found.logout_hint, found.ui_locales) == (
        site.world.storage.find(type(LEAVING), "rp"),
        True,
        "al",
        ("de", "en"),
    )
    assert location(confirmed(site, sent, login)) == f"{BYE}?state=a%20b%26c"
    assert sessions(site) == []


def test_the_endpoint_takes_a_form_too(site: Site) -> None:
    sent = site.post("/end-session", form(client_id="rp", post_logout_redirect_uri=f"{BYE}?a=b", state="s"))
    cookie = (sent.header("set-cookie") or "").partition(";")[0]

    site.cookie = cookie

    assert location(confirmed(site, sent, None)) == f"{BYE}?a=b&state=s"


def test_nobody_is_asked_whose_own_session_the_hint_names_even_if_it_has_expired(site: Site) -> None:
    login = signed_in(site)
    hint = hint_of(site, login)
    site.clock.advance(7_000)

    sent = left(site, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert not pending(site, sent, login).must_ask


def test_a_hint_of_another_session_or_another_person_is_asked_about(site: Site) -> None:
    alice = signed_in(site)
    sent = left(site, id_token_hint=hint_of(site, alice))

    for other in (signed_in(site), signed_in(site, "bob"), Login(subject="alice", auth_time=site.now)):
        assert pending(site, sent, other).must_ask


def test_a_hint_ends_no_session_but_the_browser_s_own(site: Site) -> None:
    alice = signed_in(site)
    sent = left(site, id_token_hint=hint_of(site, alice), post_logout_redirect_uri=BYE)

    for login in (None, signed_in(site, "mallory"), Login(subject="mallory", auth_time=site.now, sid=alice.sid)):
        confirmed(site, sent, login)

    assert [session.key for session in sessions(site)] == [alice.sid]


def test_a_pairwise_person_is_known_by_the_hint_of_his_client(site: Site) -> None:
    login = signed_in(site)
    answer = remembered(site, login, client_id="pairwise", redirect_uri="https://pairwise.example/cb")
    hint = redeem(site, answer["code"], "pairwise", "https://pairwise.example/cb")["id_token"]

    assert not pending(site, left(site, id_token_hint=hint), login).must_ask


def test_without_anything_a_person_is_asked_and_sent_nowhere(site: Site) -> None:
    login = signed_in(site)
    sent = left(site, state="s")

    assert pending(site, sent, login).must_ask
    assert confirmed(site, sent, login).header("location") is None
    assert sessions(site) == []


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"client_id": "nobody"}, "unknown"),
        ({"post_logout_redirect_uri": BYE}, "without client_id and id_token_hint"),
        ({"client_id": "rp", "post_logout_redirect_uri": "https://evil.example/"}, "not registered"),
        ({"client_id": "rp", "post_logout_redirect_uri": f"{BYE}/"}, "not registered"),
        ({"client_id": "rp", "post_logout_redirect_uri": f"{BYE}?a=b&c=d"}, "not registered"),
        ({"client_id": "rp", "post_logout_redirect_uri": "https://rp.example/bye#x"}, "not registered"),
        ({"client_id": "rp", "post_logout_redirect_uri": "//rp.example/bye"}, "not registered"),
        ({"client_id": "pairwise", "post_logout_redirect_uri": BYE}, "not registered"),
    ],
)
def test_what_can_not_be_verified_is_a_page_and_no_redirect(
    site: Site, parameters: dict[str, str], reason: str
) -> None:
    assert refused_by_page(left(site, **parameters), reason)


def test_a_hint_of_another_client_is_refused(site: Site) -> None:
    hint = hint_of(site, signed_in(site))

    assert refused_by_page(left(site, id_token_hint=hint, client_id="pairwise"), "another client")
    answer = left(site, id_token_hint=hint, post_logout_redirect_uri="https://pairwise.example/bye")
    assert refused_by_page(answer, "not registered")


def forged(hint: str) -> list[str]:
    head, body, signature = hint.split(".")
    flipped = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    return [
        f"{head}.{body}.{flipped}", f"{head}.{body}.", f"{head}.{body[:-4]}.{signature}", f"{none}.{body}.", "nonsense",
        "e30.e30.e30",
    ]  # fmt: skip


@pytest.mark.parametrize("named", [{}, {"client_id": "rp"}])
def test_a_forged_hint_has_the_person_asked_and_sent_nowhere(site: Site, named: dict[str, str]) -> None:
    """RP-Initiated Logout section 4: nobody is redirected where something is wrong with the request."""
    login = signed_in(site)
    for hint in forged(hint_of(site, login)):
        sent = left(site, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s", **named)

        assert pending(site, sent, login).must_ask
        signed_out = confirmed(site, sent, login)

        assert (signed_out.status, signed_out.header("location")) == (200, None)
        assert b"/bye" not in signed_out.body
        assert sessions(site) == []
        login = signed_in(site)


def rotate(site: Site, *, remembered: bool) -> None:
    """Sign with another key from now on, long after the old one was published."""
    use_keys(site, GivenKeys([key_for("RS256", 1)], hint_keys=[key_for("RS256")] if remembered else []))


def test_a_hint_is_known_by_a_key_that_is_published_no_more(site: Site) -> None:
    login = signed_in(site)
    hint = hint_of(site, login)

    rotate(site, remembered=True)
    sent = left(site, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert not pending(site, sent, login).must_ask
    assert BYE.encode() in confirmed(site, sent, login).body


@pytest.mark.parametrize("named", [{}, {"client_id": "rp"}])
def test_a_hint_whose_key_is_gone_has_the_person_asked_and_sent_back(site: Site, named: dict[str, str]) -> None:
    login = signed_in(site)
    hint = hint_of(site, login)

    rotate(site, remembered=False)
    sent = left(site, id_token_hint=hint, post_logout_redirect_uri=BYE, **named)

    assert pending(site, sent, login).must_ask
    assert BYE.encode() in confirmed(site, sent, login).body
    assert sessions(site) == []


def test_a_hint_whose_key_is_gone_leads_to_no_uri_that_its_client_has_not_registered(site: Site) -> None:
    hint = hint_of(site, signed_in(site))

    rotate(site, remembered=False)
    answer = left(site, id_token_hint=hint, post_logout_redirect_uri="https://pairwise.example/bye")

    assert refused_by_page(answer, "not registered")


def test_a_hint_whose_key_is_gone_says_nothing_beside_another_client(site: Site) -> None:
    login = signed_in(site)
    hint = hint_of(site, login)

    rotate(site, remembered=False)
    sent = left(
        site, id_token_hint=hint, client_id="pairwise", post_logout_redirect_uri=OTHER.post_logout_redirect_uris[0]
    )

    assert pending(site, sent, login).must_ask
    assert b"/bye" not in confirmed(site, sent, login).body


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_hint_of_a_client_that_was_removed_or_disabled_is_no_dead_end(site: Site, *, is_removed: bool) -> None:
    login = signed_in(site)
    hint = hint_of(site, login)
    client = site.world.storage.find(Client, "rp")
    assert client is not None
    change = Delete(client) if is_removed else Replace(client, attrs.evolve(client, enabled=False))
    assert site.world.storage.commit([change])

    sent = left(site, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert pending(site, sent, login).must_ask is is_removed
    assert confirmed(site, sent, login).header("location") is None


def test_another_browser_can_not_report_a_logout(site: Site) -> None:
    login = signed_in(site)
    sent = left(site, client_id="rp", post_logout_redirect_uri=BYE)

    site.cookie = None

    assert refused_by_page(confirmed(site, sent, login), "another browser")
    assert len(sessions(site)) == 1


def test_a_page_of_the_host_s_proves_its_form_for_a_logout_too(site: Site) -> None:
    handle = params(left(site, client_id="rp"))["logout"]
    request = Request("POST", "/x", (("Cookie", site.cookie or ""),))

    token = site.server.interactions.form_token(request, handle)

    assert site.server.interactions.is_form_token(request, handle, token)
    assert not site.server.interactions.is_form_token(Request("POST", "/x"), handle, token)


def test_a_logout_that_waited_too_long_still_signs_out_but_sends_nobody_anywhere(site: Site) -> None:
    login = signed_in(site)
    sent = left(site, client_id="rp", post_logout_redirect_uri=BYE)
    site.clock.advance(3_600)

    assert site.drive(site.server.sessions.find_logout(params(sent)["logout"], login), site.world) is None
    assert confirmed(site, sent, login).header("location") is None
    assert sessions(site) == []


def test_a_uri_that_is_registered_no_longer_is_not_gone_to(site: Site) -> None:
    sent = left(site, client_id="rp", post_logout_redirect_uri=BYE)
    storage = site.world.storage
    stored = storage.find(type(LEAVING), "rp")
    assert stored is not None
    storage.commit([Replace(stored, attrs.evolve(stored, post_logout_redirect_uris=()))])

    assert confirmed(site, sent, None).header("location") is None


def test_a_link_sends_nobody_to_the_site_of_a_client_that_has_registered_itself(drive: Drive) -> None:
    """RP-Initiated Logout section 3, RFC 9700 section 4.11.2: only who signs out, and whom the client knows."""
    stranger = attrs.evolve(LEAVING, dynamic=DynamicRegistration(registered_at=0))
    site = signing(provider(drive, clients=(stranger, OTHER)))
    alice = signed_in(site)
    named = {"client_id": "rp", "post_logout_redirect_uri": BYE}
    of_alice = {**named, "id_token_hint": hint_of(site, alice)}

    without_hint = confirmed(site, left(site, **named), alice)
    nobody = confirmed(site, left(site, **of_alice), None)
    bob = confirmed(site, left(site, **of_alice), signed_in(site, "bob"))
    alice_again = confirmed(site, left(site, **of_alice), signed_in(site))

    assert [answer.header("location") for answer in (without_hint, nobody, bob)] == [None, None, None]
    assert location(alice_again) == BYE


@pytest.mark.parametrize(
    ("uri", "changes"),
    [
        (BYE, {"dynamic": DynamicRegistration(registered_at=0, by="partner")}),
        (BYE, {"dynamic": DynamicRegistration(registered_at=0, is_approved=True)}),
        (BYE, {"allow": {*RP.allow, Allowance.UNTRUSTED_REDIRECTS}}),
        ("com.example.app:/bye", {}),
    ],
)
def test_who_signs_out_is_sent_to_a_client_that_no_stranger_can_have_made_or_to_their_own_device(
    uri: str, changes: dict[str, Any]
) -> None:
    known: dict[str, Any] = {
        "dynamic": DynamicRegistration(registered_at=0),
        "post_logout_redirect_uris": (uri,),
    } | changes
    site = signing(provider(clients=(attrs.evolve(RP, **known), OTHER)))

    answer = confirmed(site, left(site, client_id="rp", post_logout_redirect_uri=uri), None)

    assert location(answer) == uri


def test_a_second_click_is_answered_like_the_first(site: Site) -> None:
    login = signed_in(site)
    sent = left(site, client_id="rp", post_logout_redirect_uri=BYE)

    assert location(confirmed(site, sent, login)) == location(confirmed(site, sent, login)) == BYE


def test_a_host_sends_who_signs_out_by_himself_to_a_page_of_its_own(site: Site) -> None:
    assert location(confirmed(site, None, signed_in(site), location="/goodbye")) == "/goodbye"


def test_clients_are_told_in_frames_that_alone_may_be_framed(site: Site) -> None:
    """OIDC Front-Channel Logout 1.0 section 2."""
    login = signed_in(site)
    remembered(site, login)
    sent = left(site, client_id="rp", post_logout_redirect_uri=BYE, state='"><script>')

    page = confirmed(site, sent, login)

    text = page.body.decode()
    sid = sid_for(RP, login.sid or "", site.server.context())
    frame = f"{FRONT}&amp;iss=https%3A%2F%2Fas.example&amp;sid={sid}"
    assert f'<iframe src="{frame}"' in text
    assert f'http-equiv="refresh" content="4;url={BYE}?state=%22%3E%3Cscript%3E"' in text
    assert "<script" not in text
    assert "frame-src https://rp.example;" in (page.header("content-security-policy") or "")
    assert page.header("location") is None


def test_the_plain_page_frames_nothing_where_nobody_is_to_be_told() -> None:
    page = plain_signed_out_page(SignedOut((), None))

    assert "frame-src 'none'" in (page.header("content-security-policy") or "")
    assert b"iframe" not in page.body
    assert b"refresh" not in page.body


def test_plain_oauth_has_no_such_endpoint() -> None:
    assert make_site().get("/end-session").status == 404


@pytest.mark.parametrize(
    ("setting", "changes"),
    [
        ("backchannel_logout_uri", {"backchannel_logout_uri": "http://rp.example/bcl"}),
        ("backchannel_logout_uri", {"backchannel_logout_uri": "com.example.app:/bcl"}),
        ("backchannel_logout_uri", {"backchannel_logout_uri": "https://rp.example/bcl#x"}),
        ("backchannel_logout_uri", {"backchannel_logout_session_required": True}),
        ("frontchannel_logout_uri", {"frontchannel_logout_session_required": True}),
        ("frontchannel_logout_uri", {"frontchannel_logout_uri": "https://other.example/front"}),
        ("frontchannel_logout_uri", {"frontchannel_logout_uri": "https://rp.example/;front"}),
        ("post_logout_redirect_uris", {"post_logout_redirect_uris": ("http://rp.example/bye",)}),
        ("post_logout_redirect_uris", {"post_logout_redirect_uris": ("javascript:alert(1)",)}),
        ("post_logout_redirect_uris", {"post_logout_redirect_uris": ("https://rp.example/bye#x",)}),
    ],
)
def test_a_registration_that_can_not_be_is_named(setting: str, changes: dict[str, Any]) -> None:
    site = provider()

    with pytest.raises(ConfigurationError) as refused:
        site.server.clients.prepare(attrs.evolve(RP, client_id="x", **changes))

    assert refused.value.setting == setting


def test_a_native_application_s_person_may_be_sent_back_to_it() -> None:
    client = attrs.evolve(RP, client_id="x", post_logout_redirect_uris=("com.example.app:/bye", "http://127.0.0.1/bye"))

    assert (
        provider().server.clients.prepare(client).client.post_logout_redirect_uris == client.post_logout_redirect_uris
    )


def test_a_scheme_of_one_word_is_opened_by_name_for_the_way_back_from_a_sign_out() -> None:
    client = attrs.evolve(RP, client_id="x", post_logout_redirect_uris=("cursor://bye",))
    with pytest.raises(ConfigurationError, match="ONE_WORD_SCHEME"):
        provider().server.clients.prepare(client)

    provider().server.clients.prepare(attrs.evolve(client, allow={Allowance.ONE_WORD_SCHEME}))


def test_the_order_of_the_checks_is_by_value() -> None:
    context = context_of(clients=(LEAVING,))
    hint = Hint("rp", "alice", None)

    check_request(parse_form("client_id=rp&id_token_hint=x"), LogoutFacts(hint, LEAVING), context)
    check_request(parse_form("id_token_hint=x"), LogoutFacts(hint, None), context)
    disabled = attrs.evolve(LEAVING, enabled=False)
    asked = parse_form(f"client_id=rp&post_logout_redirect_uri={BYE}")
    with pytest.raises(InvalidRequest, match="disabled"):
        check_request(asked, LogoutFacts(None, disabled), context)
