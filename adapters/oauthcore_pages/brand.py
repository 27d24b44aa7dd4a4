"""The operator's brand: name, logo and colours, checked so that the pages stay readable."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import attrs

from oauthcore import ConfigurationError

# The background of text and buttons in the accent colour, as in style.css.
LIGHT_CARD = "#ffffff"
DARK_CARD = "#1c2129"
# WCAG 2.2 section 1.4.3, level AA.
LEAST_CONTRAST = 4.5

_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_DATA = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=]+")


@attrs.frozen(kw_only=True)
class Brand:
    """Describe the operator on the pages.

    `logo` is an https URL, or a `data:` URI of an image; `accent` and `accent_dark` are colours as `#rrggbb`, for light
    and for dark pages. Raises `ConfigurationError` for invalid values, and colours with too little contrast.
    """

    name: str | None = None
    logo: str | None = attrs.field(default=None, repr=False)
    accent: str | None = None
    accent_dark: str | None = None

    def __attrs_post_init__(self) -> None:
        check_colour("accent", self.accent, LIGHT_CARD)
        check_colour("accent_dark", self.accent_dark, DARK_CARD)
        if self.logo is not None and not _DATA.fullmatch(self.logo) and origin_of(self.logo) is None:
            raise ConfigurationError("logo", self.logo, "use an https URL, or a data: URI of an image in base64")

    @property
    def image_source(self) -> str | None:
        """Return the source that the content security policy has to allow for the logo (CSP 3 section 6.1.6)."""
        if self.logo is None:
            return None
        return "data:" if self.logo.startswith("data:") else origin_of(self.logo)

    @property
    def style(self) -> str:
        """Return the style rules for the operator's colours."""
        light = "" if self.accent is None else f":root {{ --accent: {self.accent}; }}\n"
        if self.accent_dark is None:
            return light
        return f"{light}@media (prefers-color-scheme: dark) {{ :root {{ --accent: {self.accent_dark}; }} }}\n"


def check_colour(setting: str, colour: str | None, card: str) -> None:
    """Raise `ConfigurationError` for an invalid colour, or one with too little contrast on its background."""
    if colour is None:
        return
    if not _COLOUR.fullmatch(colour):
        raise ConfigurationError(setting, colour, "use a colour as #rrggbb")
    found = contrast(colour, card)
    if found < LEAST_CONTRAST:
        remedy = f"its contrast to {card} is {found:.1f}; choose one with {LEAST_CONTRAST} (WCAG 2.2 section 1.4.3)"
        raise ConfigurationError(setting, colour, remedy)


def origin_of(url: str) -> str | None:
    """Return the origin of an https URL; None for other URLs, and for text that would end the policy's list."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or set(url) & set(" ;,'\"<>\\"):
        return None
    return f"https://{parts.netloc}" if url.isascii() and url.isprintable() else None


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2, relative luminance)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    red, green, blue = (_linear(int(digits[start : start + 2], 16) / 255) for start in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
