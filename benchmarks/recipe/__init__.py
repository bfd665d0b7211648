"""What recipe `best` reaches on the corpora at hand: every row a plan, some seeds, one line of results for each run."""
