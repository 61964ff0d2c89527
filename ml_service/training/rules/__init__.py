"""Making of versions that work by fixed rules: nothing is trained, but they are measured and sealed like the others."""
