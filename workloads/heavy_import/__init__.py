"""A code location that is expensive to import."""
