"""The run half: a model answers requests, with numpy and the native core. Open engine.py first."""
