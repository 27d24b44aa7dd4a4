"""Profiles: named sets of rules that a deployment has to obey, each with the setting that obeys it.

`rule.py` says what a rule is, `profile.py` what a server does with them, and each other file has the rules of one
profile. Nothing here enforces what a setting enforces already: a profile sets it.
"""
