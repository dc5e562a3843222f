"""Goes into a wheel as `dagster._regression`: a run process holds 10 MiB more."""

HELD_BYTES = 10 * 1024 * 1024
_held: list[bytearray] = []


def regress() -> None:
    """Hold memory for as long as the process lives. Ones, not zeros: only written pages count."""
    _held.append(bytearray(b"\x01") * HELD_BYTES)
