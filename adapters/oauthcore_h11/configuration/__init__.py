"""Configuration: one TOML file in, one frozen value out, or one line that says what is wrong with it."""

from oauthcore_h11.configuration.reading import read
from oauthcore_h11.configuration.tables import Configuration

__all__ = ["Configuration", "read"]
