"""What charts are drawn from: `types` is its contract, `cell` makes it from one cell's facts."""
