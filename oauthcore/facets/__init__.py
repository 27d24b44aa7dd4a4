"""The facets of a server: what a host calls beside `handle`, one small class for each area.

Methods that need the storage or the application return a flow, for `run` or `arun`.
"""
