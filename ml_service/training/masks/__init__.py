"""Training of networks that outline structures on images."""
