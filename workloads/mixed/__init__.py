"""Runs that wait, parse, aggregate, compress and write."""
