"""Originality: which passages of a piece stand in a corpus, where, and how long they are.

Conventions
-----------
- A piece is compared voice by voice (:mod:`concours.metrics.originality.tokens`); drums are left
  out.
- A *passage of n notes* is n consecutive notes of one voice. Two passages match when every step
  of theirs looks the same under the chosen view; in the default view a transposed passage, or one
  played at another tempo, matches.
- Matches are exact: the index compares whole sequences, never their hashes.
- Bars count from 1, first and last bar included; an upbeat before the first full bar is bar 0.
- Similarity is a measurement, not a finding about how a piece came to be.
"""
