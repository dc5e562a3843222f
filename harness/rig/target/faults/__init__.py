"""Breaking the parts of a Compose project on purpose."""
