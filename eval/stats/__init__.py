"""Statistics of scores and ratings: pure functions from arrays to estimates with intervals."""
