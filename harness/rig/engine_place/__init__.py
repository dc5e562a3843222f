"""Where the Docker engine is, and how it and the ports of its containers are reached from here.

`target` and `telemetry` both use it and know nothing of one another. `reach.here()` is the engine
the user means; everything that talks to an engine, by SDK or by command, goes through it.
"""
