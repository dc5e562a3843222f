"""Which release moved a metric: what to measure next, and what is known after each round."""
