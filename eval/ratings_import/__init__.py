"""Ratings that were collected elsewhere, read into the one table of :mod:`concours.eval.stats`."""
