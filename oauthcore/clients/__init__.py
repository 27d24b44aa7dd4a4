"""Clients: who is calling, one file a method of showing it, and how they come to be registered."""
