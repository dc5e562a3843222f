"""Runs that hold memory."""
