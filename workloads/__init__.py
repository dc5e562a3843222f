"""Dagster code locations under test: one package a workload, started with `-m`.

They run inside the server image, need nothing but Dagster, and work with Dagster 1.5 to 1.13
on Python 3.9 or later. See README.md.
"""
