"""Intervals and tests over scores and ratings."""
