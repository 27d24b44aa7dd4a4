"""Tests of oauthcore_fetch."""
