"""Reports: pure functions from :mod:`concours.eval.report.model` to text."""
