"""What hours at one load showed: what grows, what was broken on purpose, and what came of it."""
