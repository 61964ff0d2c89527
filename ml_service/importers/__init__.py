"""Weights of other people's checkpoints as ours. Only `checkpoint.read` knows torch, and only when it is called."""
