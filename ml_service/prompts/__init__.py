"""Outlining what a person's box holds: on one slice, and from slice to slice."""
