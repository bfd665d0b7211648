"""Every goal of speed and memory beside its measured figure, in one run: see `benchmarks.goals.cli`."""
