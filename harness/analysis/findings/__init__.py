"""`findings.json`: `types` is its contract, `document` makes it from facts, cell by cell."""
