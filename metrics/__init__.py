"""What Concours computes: pure functions from arrays to values.

Nothing in this package reads a file, writes a log or imports another part of Concours.
"""
