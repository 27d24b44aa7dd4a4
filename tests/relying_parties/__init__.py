"""Relying parties that others have written, against the reference server as an OpenID Provider."""
