"""Placeholders: each secret is replaced by another text, consistently, so that a replay takes the same decisions.

A secret that a person chose is replaced by letters that reveal nothing about it, not even its length. A secret that a
server made keeps its length and punctuation, since these decide whether it can be parsed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

import attrs

from oauthcore.clients.registration import GENERATION_LENGTH
from oauthcore.digest import Secret, base64url, encoded
from oauthcore.flow.effects import Claims, Effect, KnownUser
from oauthcore.user_code import spell_user_code

# The length of secrets made here: 32 bytes in base64url.
DRAWN = 32
MADE = 43
# A text of this length does not occur by chance. A shorter one, as the state "code", is replaced in its field only.
UNMISTAKABLE = 16
# A longer one is not a chosen secret but an attack, refused for its length, which a placeholder has to keep.
FLOOD = 512
_LETTERS = "abcdefghijklmnop"


@attrs.define
class Placeholders:
    """Hold the placeholders of one trace by the text they replace; a placeholder is its own placeholder.

    `public` are the texts of the server's settings and metadata, and the words of the standards: they are not replaced,
    even if a client sends one as its secret. `people` are texts from the claims of a user: they are in the trace
    anyway, and a client may have requested exactly these.
    """

    known: dict[str, str] = attrs.field(factory=dict, repr=False)
    drawn: int = 0
    public: frozenset[str] = frozenset()
    people: set[str] = attrs.field(factory=set, repr=False)
    _letters_of: dict[str, str] = attrs.field(factory=dict, repr=False)

    @classmethod
    def of(cls, texts: list[str], public: frozenset[str] = frozenset()) -> Placeholders:
        """Return the placeholders of a recorded trace."""
        return cls({text: text for text in texts}, len(texts), public)

    @property
    def texts(self) -> list[str]:
        """Return every placeholder once."""
        return list(dict.fromkeys(self.known.values()))

    def applied(self, text: str) -> str:
        """Return a text, or its placeholder if it is a known secret and too long to be a plain word."""
        return self.known.get(text, text) if self._is_secret(text) else text

    def hear_of_person(self, effect: Effect, answer: object) -> None:
        """Remember the texts of an answer that has the claims of a user."""
        if isinstance(effect, Claims):
            self.people |= texts_in(answer.claims if isinstance(answer, KnownUser) else answer)

    def of_made(self, text: str) -> str:
        """Return the placeholder of a secret that a server made, or of what was sent as one: of the same shape."""
        return self._kept(text, lambda: reshaped(text, self._letters()))

    def of_chosen(self, text: str) -> str:
        """Return the placeholder of a secret that a person chose; it keeps the characters that parsing depends on."""
        ways = ("%2B" if "%" in text else "") + ("+" if "+" in text else "") + ("\0" if "\0" in text else "")
        if len(text) > FLOOD:
            return self.of_made(text)
        return self._kept(text, lambda: self._letters()[: MADE - len(ways)] + ways)

    def of_verifier(self, text: str) -> str:
        """Return the placeholder of a code verifier, and make its challenge that of the challenge (RFC 7636)."""
        return self.of_hashed(text, self.of_made(text))

    def of_hashed(self, text: str, stand_in: str) -> str:
        """Return a placeholder, and make its SHA-256 that of the text's, where a request has that, too."""
        self.put(_challenge(text), _challenge(stand_in))
        return stand_in

    def of_token(self, text: str, make: Callable[[str], str | None]) -> str:
        """Return the placeholder of a token, built by `make` on each call, since more secrets are known by then."""
        if self.known.get(text) == text:
            return text
        stand_in = make(self._letters_of.setdefault(text, self._letters()))
        if stand_in is None:
            return self.of_made(text)
        self.put(text, stand_in)
        return stand_in

    def put(self, text: str, stand_in: str) -> None:
        """Use `stand_in` as the placeholder of a text from now on."""
        before = self.known.get(text)
        if before not in {None, text, stand_in} and self.known.get(before) == before:
            # The earlier placeholder was made when fewer secrets were known, and may contain one.
            del self.known[before]
        self.known[text] = stand_in
        self.known.setdefault(stand_in, stand_in)

    def of_drawn(self, drawn: bytes) -> bytes:
        """Return bytes in place of those drawn; a secret made of these gets a placeholder made of the returned ones."""
        self.drawn += 1
        stand_in = drawn_in_place(self.drawn, len(drawn))
        text, made = encoded(drawn).reveal(), encoded(stand_in).reveal()
        self.known.setdefault(text, made)
        # The generation of a dynamically registered client is a prefix of the drawn secret.
        self.known.setdefault(text[:GENERATION_LENGTH], made[:GENERATION_LENGTH])
        # An identifier has no hyphen at its beginning.
        self.known.setdefault(text.lstrip("-"), made.lstrip("-"))
        if len(drawn) == DRAWN:  # a user code is spelled from a draw (RFC 8628 section 6.1)
            self.known.setdefault(spell_user_code(Secret(text)), spell_user_code(Secret(made)))
        return stand_in

    def scrubbed(self, text: str) -> str:
        """Replace known secrets anywhere in a text: a last line of defence, after redaction by name."""
        for secret in sorted(self.known, key=len, reverse=True):
            if secret in text and secret != self.known[secret] and self._is_secret(secret):
                text = text.replace(secret, self.known[secret])
        return text

    def _is_secret(self, text: str) -> bool:
        return len(text) >= UNMISTAKABLE and not any(text in public for public in self.public)

    def _kept(self, text: str, make: Callable[[], str]) -> str:
        if text not in self.known:
            self.put(text, make())
        return self.known[text]

    def _letters(self) -> str:
        number = len(self.known)
        return "".join(_LETTERS[byte % 16] for byte in hashlib.shake_256(f"stand-in {number}".encode()).digest(512))


def texts_in(value: object) -> set[str]:
    """Return every text in a JSON value, including the names of members."""
    if isinstance(value, str):
        return {value}
    members = value.items() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {text for member in members for text in texts_in(member)}


def drawn_in_place(number: int, size: int) -> bytes:
    """Return the bytes that a replay draws at this number."""
    return hashlib.shake_256(f"drawn {number}".encode()).digest(size)


def reshaped(text: str, letters: str) -> str:
    """Replace letters and digits by `letters`; other characters stay, since parsing depends on them."""
    source = iter(letters * (1 + len(text) // len(letters)))
    return re.sub(r"\w", lambda letter: next(source) if letter[0].isascii() else "é", text)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64url(digest)
