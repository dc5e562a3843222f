"""The user's own code under test: what to load, from which image, built from what."""
