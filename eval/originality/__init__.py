"""Originality reports: a corpus indexed on disk, its own calibration, and a system held against it.

====================  =======================================================================
corpus_index          the index on disk: built, appended to, opened, checked
calibration           what the corpus's own pieces share: near-duplicates, percentiles, curves
search                the passages of one piece that the corpus holds
report                a system against a corpus, as plain data
====================  =======================================================================
"""
