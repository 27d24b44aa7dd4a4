"""The facets of a server: what a host calls beside `handle`, one small class for each matter.

Each method that asks something of the outside returns a flow, to be run by `run` or `arun`.
"""
