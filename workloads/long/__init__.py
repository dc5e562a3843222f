"""Runs that take minutes and mostly wait."""
