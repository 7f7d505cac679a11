"""The exceptions that Concours raises on purpose.

ConcoursError
├── UsageError      bad command line, config or name; exit code 2
│   └── ConfigError     with file, line and column
└── StoreError      a database that cannot be opened or is newer than this version
"""

from __future__ import annotations


class ConcoursError(Exception):
    """Every error that a caller may want to catch."""


class UsageError(ConcoursError, ValueError):
    """Something the user wrote cannot be done; the message says what, where and what to do."""


class ConfigError(UsageError):
    """A configuration that does not hold; one line for each fault."""


class StoreError(ConcoursError):
    """A database that cannot be opened, or that a newer Concours has written."""
