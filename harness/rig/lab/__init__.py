"""Real Dagster components put together for one question: what a campaign has no place for."""
