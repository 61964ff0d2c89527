"""Layers that more than one network needs. `keras.ops` only: TensorFlow, JAX and torch run the same file."""
