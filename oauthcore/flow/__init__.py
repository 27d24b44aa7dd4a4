"""Flows: the effects they ask by, what they come to, and who answers; see `effects.py` first."""
