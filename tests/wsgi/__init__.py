"""Tests of oauthcore_wsgi."""
