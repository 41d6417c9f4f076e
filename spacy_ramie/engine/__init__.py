"""Engines: requests in, answers out, in the same order."""
