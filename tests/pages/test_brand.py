"""The operator's brand: shown where it should be, refused where it can't be read or would open the page to others."""

from __future__ import annotations

import pytest

from oauthcore import ConfigurationError
from oauthcore.wire.refusals import ErrorPage
from oauthcore_pages import Brand, Templates
from oauthcore_pages.brand import contrast

PAGE = ErrorPage(400, "invalid_request", "No.")
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def test_without_a_brand_nothing_is_shown_of_one() -> None:
    assert 'class="brand"' not in Templates().error(PAGE).body.decode()


def test_name_stands_on_the_page_and_in_its_title() -> None:
    text = Templates(brand=Brand(name="Müller & Co")).error(PAGE).body.decode()

    assert '<p class="brand">Müller &amp; Co</p>' in text
    assert "· Müller &amp; Co</title>" in text


@pytest.mark.parametrize(
    ("logo", "allowed"), [(PIXEL, "data:"), ("https://cdn.example:8443/a/logo.svg", "https://cdn.example:8443")]
)
def test_logo_is_shown_and_its_origin_alone_allowed(logo: str, allowed: str) -> None:
    response = Templates(brand=Brand(name="Ours", logo=logo)).error(PAGE)

    assert f'<img src="{logo}" alt="Ours">' in response.body.decode()
    assert f" img-src {allowed}; " in (response.header("content-security-policy") or "")


@pytest.mark.parametrize(
    "logo",
    [
        "http://cdn.example/logo.svg",
        "/logo.svg",
        "javascript:alert(1)",
        "data:text/html;base64,aaaa",
        "https://a.example; script-src *",
        "https://user@a.example/",
        "https://[/",
        "https://ä.example/",
    ],
)
def test_logo_that_can_not_be_shown_is_refused(logo: str) -> None:
    with pytest.raises(ConfigurationError, match="logo = "):
        Brand(logo=logo)


def test_colours_go_into_the_style_that_the_policy_allows() -> None:
    plain = Templates().error(PAGE)

    response = Templates(brand=Brand(accent="#036", accent_dark="#ffcc00")).error(PAGE)

    text = response.body.decode()
    assert ":root { --accent: #036; }" in text
    assert "{ :root { --accent: #ffcc00; } }" in text
    assert response.header("content-security-policy") != plain.header("content-security-policy")


@pytest.mark.parametrize("settings", [{"accent": "red"}, {"accent": "#12345"}, {"accent_dark": "#fff;}"}])
def test_colour_that_is_none_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="use a colour as #rrggbb"):
        Brand(**settings)


@pytest.mark.parametrize("settings", [{"accent": "#ffcc00"}, {"accent_dark": "#003366"}])
def test_colour_that_can_not_be_read_is_refused(settings: dict[str, str]) -> None:
    """WCAG 2.2 section 1.4.3."""
    with pytest.raises(ConfigurationError, match=r"its contrast to #\w+ is \d\.\d; choose one with 4\.5"):
        Brand(**settings)


def test_contrast_is_as_the_standard_has_it() -> None:
    """WCAG 2.2: 21 for black on white, 1 for a colour on itself; #777777 just misses 4.5 on white."""
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#123456", "#123456") == 1
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)
