"""How many workers: what launches, sensors and polls hold, and which cells say so.

`points` reads steps, `groups` finds cells that differ in one setting, `results` and `fit` compare
them, `rule` says which number does, and `words` says it to people. `dagster_defaults` is what
Dagster chooses where nobody sets it.
"""
