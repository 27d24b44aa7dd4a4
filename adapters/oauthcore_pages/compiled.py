"""Templates that this process has compiled: every language and every server in it shares the code.

To parse and compile a template takes a hundred times as long as to render it, and its code is the same for every
language, since texts are translated when a page is rendered.
"""

from __future__ import annotations

from types import CodeType
from typing import cast

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    """Remember the code of each template, by its name and file, as long as its source is the same.

    For environments with the same options and extensions: Jinja's code depends on these.
    """

    def __init__(self) -> None:
        self._code: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Fill a bucket with the code of this source, if it was compiled before."""
        checksum, code = self._code.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Remember the code in a bucket."""
        self._code[bucket.key] = (bucket.checksum, cast(CodeType, bucket.code))


COMPILED = CompiledTemplates()
