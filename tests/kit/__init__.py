"""Fixtures and fakes of the tests, by subject."""
