"""What the facts of one step come to: its windows, its steady state, its figures. No judgement."""
