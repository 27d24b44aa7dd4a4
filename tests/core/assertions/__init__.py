"""Assertions of other issuers."""
