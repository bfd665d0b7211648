"""How the cost of tagging and training grows with the size of what is tagged and trained: see `growth.cli`."""
