"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # no test measures time
settings.load_profile("shared machine")
