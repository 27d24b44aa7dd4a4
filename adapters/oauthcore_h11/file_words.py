"""Remedies in the words of the configuration file: the core says `Allowance.X`, and the file `allow = ["x"]`."""

from __future__ import annotations

import re

from oauthcore import ConfigurationError

_ALLOWANCE = re.compile(r"Allowance\.([A-Z_]+)")


def in_file_words(error: ConfigurationError) -> str:
    """Return what an error says as the operator has to write it."""
    return _ALLOWANCE.sub(lambda name: f'allow = ["{name[1].lower()}"]', str(error))
