"""Stand-ins: for each secret another text, always the same one, that opens nothing and is taken for the same.

A secret that somebody chose is replaced by letters that tell nothing of it, not even its length. One that a server made
keeps its length and its punctuation, since those decide whether it can be read at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

import attrs

from oauthcore.clients.registration import GENERATION_LENGTH
from oauthcore.digest import base64url, encoded
from oauthcore.flow.effects import Claims, Effect

# What this project makes: 32 bytes in base64url.
MADE = 43
# From here on a text is not met by chance: a state of "code" stands in its own place alone.
UNMISTAKABLE = 16
# Nobody chooses so long a secret: it is there to do harm, and refused for its length.
FLOOD = 512
_LETTERS = "abcdefghijklmnop"


@attrs.define
class Placeholders:
    """Hold the stand-ins of one trace, by what they stand for; what stands in already stands for itself.

    `public` are the texts of the server's settings and metadata, and the standards' words: whoever sends one of them as
    their secret reveals none. `people` are texts that the application told of a person: they are in the trace, and
    a client may have asked for just these.
    """

    known: dict[str, str] = attrs.field(factory=dict, repr=False)
    drawn: int = 0
    public: frozenset[str] = frozenset()
    people: set[str] = attrs.field(factory=set, repr=False)
    _letters_of: dict[str, str] = attrs.field(factory=dict, repr=False)

    @classmethod
    def of(cls, texts: list[str], public: frozenset[str] = frozenset()) -> Placeholders:
        """Take up the stand-ins of a trace that was made before."""
        return cls({text: text for text in texts}, len(texts), public)

    @property
    def texts(self) -> list[str]:
        """Return every stand-in there is, once."""
        return list(dict.fromkeys(self.known.values()))

    def applied(self, text: str) -> str:
        """Return a text, or what stands for it if it is a secret met before; a short one may be a plain word."""
        return self.known.get(text, text) if self._is_secret(text) else text

    def hear_of_person(self, effect: Effect, answer: object) -> None:
        """Hear what is answered, which may tell of a person."""
        if isinstance(effect, Claims):
            self.people |= texts_in(answer)

    def of_made(self, text: str) -> str:
        """Return the stand-in of a secret that a server made, or was to be one: of the same shape."""
        return self._kept(text, lambda: reshaped(text, self._letters()))

    def of_chosen(self, text: str) -> str:
        """Return the stand-in of a secret that somebody chose; what decides whether and how it can be read is kept."""
        ways = ("%2B" if "%" in text else "") + ("+" if "+" in text else "") + ("\0" if "\0" in text else "")
        if len(text) > FLOOD:
            return self.of_made(text)
        return self._kept(text, lambda: self._letters()[: MADE - len(ways)] + ways)

    def of_verifier(self, text: str) -> str:
        """Return the stand-in of a code verifier, whose challenge then is the stand-in of its challenge (RFC 7636)."""
        stand_in = self.of_made(text)
        self.put(_challenge(text), _challenge(stand_in))
        return stand_in

    def of_token(self, text: str, make: Callable[[str], str | None]) -> str:
        """Return what `make` makes of some letters in the place of a token, each time anew: more is known each time."""
        if self.known.get(text) == text:
            return text
        stand_in = make(self._letters_of.setdefault(text, self._letters()))
        if stand_in is None:
            return self.of_made(text)
        self.put(text, stand_in)
        return stand_in

    def put(self, text: str, stand_in: str) -> None:
        """Have one text stand for another from now on."""
        before = self.known.get(text)
        if before not in {None, text, stand_in} and self.known.get(before) == before:
            # It was made when less was known, and may have in it what is a secret after all.
            del self.known[before]
        self.known[text] = stand_in
        self.known.setdefault(stand_in, stand_in)

    def of_drawn(self, drawn: bytes) -> bytes:
        """Return bytes in the place of those that were drawn; a secret made of the one is one made of the other."""
        self.drawn += 1
        stand_in = drawn_in_place(self.drawn, len(drawn))
        text, made = encoded(drawn).reveal(), encoded(stand_in).reveal()
        self.known.setdefault(text, made)
        # The generation of a client that registers itself is the beginning of a draw.
        self.known.setdefault(text[:GENERATION_LENGTH], made[:GENERATION_LENGTH])
        return stand_in

    def scrubbed(self, text: str) -> str:
        """Replace whatever of the secrets is left anywhere in a text: the last line of defence, and not the first."""
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
    """Return every text in some JSON, names of members too."""
    if isinstance(value, str):
        return {value}
    members = value.items() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {text for member in members for text in texts_in(member)}


def drawn_in_place(number: int, size: int) -> bytes:
    """Return what is drawn in a replay, at that draw."""
    return hashlib.shake_256(f"drawn {number}".encode()).digest(size)


def reshaped(text: str, letters: str) -> str:
    """Put other letters in the place of letters and digits; what is no ASCII stays none, since that decides things."""
    source = iter(letters * (1 + len(text) // len(letters)))
    return re.sub(r"\w", lambda letter: next(source) if letter[0].isascii() else "é", text)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64url(digest)
