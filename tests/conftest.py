"""Fixtures and switches that every test folder shares."""
