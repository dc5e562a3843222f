"""Runs that wait on sockets."""
