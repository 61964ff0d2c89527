"""`lightbox`, the command line: what a doctor's script or a researcher's batch asks of a portal."""
