"""Volumes larger than a network's window, read window by window."""
