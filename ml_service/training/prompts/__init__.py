"""Training of the network that outlines what a box holds."""
