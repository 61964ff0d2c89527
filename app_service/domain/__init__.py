"""Rules without Flask, SQL or Redis."""
