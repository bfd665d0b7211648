"""A model that answers requests: the engine, decoding, requests, scoring and calibration. No PyTorch."""
