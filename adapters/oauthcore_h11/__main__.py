"""Run the command line as `python -m oauthcore_h11`."""

from __future__ import annotations

from oauthcore_h11.cli import main

main()
