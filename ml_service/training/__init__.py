"""Training, calibration and evaluation: everything that makes a folder in ml_service/models."""
