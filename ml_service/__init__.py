"""The ML tier: models behind the Open Inference Protocol v2. Bytes in, findings out; it keeps nothing."""
