"""Tests of oauthcore_asgi."""
