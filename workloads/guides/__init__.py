"""Locations for the guides on trial: small jobs that do one thing."""
