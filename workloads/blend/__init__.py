"""Several workloads in one code location."""
