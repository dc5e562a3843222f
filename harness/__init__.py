"""Live load-testing harness for Dagster code servers."""

__version__ = "0.1.0"
