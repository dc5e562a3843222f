"""Runs that compute."""
