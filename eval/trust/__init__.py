"""Trust cards: metrics held against known degradations, sample sizes and listeners."""
