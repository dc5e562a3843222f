"""Sensors that hold worker threads of the server."""
