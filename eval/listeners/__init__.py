"""Metrics and listeners: scores joined with ratings, and means from few ratings and many scores."""
