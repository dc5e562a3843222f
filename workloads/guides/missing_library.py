"""A location that does not load: it imports a library that nobody has installed."""

from __future__ import annotations

from importlib import import_module

LIBRARY = "a_library_that_nobody_installed"

import_module(LIBRARY)
