"""What holds for all tests: property tests draw the same examples each time, however slow the machine is."""

from hypothesis import settings

settings.register_profile("polytag", deadline=None, derandomize=True)
settings.load_profile("polytag")
