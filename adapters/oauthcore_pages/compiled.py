"""Templates that this process has compiled: every language and every server in it shares the code.

To parse and compile a template takes a hundred times as long as to render it, and its code is the same for every
language, since texts are translated when a page is rendered.
"""

from __future__ import annotations

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    """Remember the code of each template, by its name and file, as long as its source is the same.

    For environments with the same options and extensions: Jinja's code depends on these.
    """

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Fill a bucket with the code of its template; Jinja leaves it empty if that was made of another source."""
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Remember the code in a bucket."""
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()
