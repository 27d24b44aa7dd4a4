"""Tests of oauthcore_django."""
