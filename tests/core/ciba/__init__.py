"""Backchannel authentication."""
