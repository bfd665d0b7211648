"""polytag against what a user would pick instead, in one run: see `benchmarks.peers.cli`."""
