"""What events of a fault are called; their `source` is the kind of the fault."""

STRUCK, MENDED, MISSED = "fault", "fault_mended", "fault_missed"
