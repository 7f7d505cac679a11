"""Originality reports: a corpus indexed on disk, its own calibration, and a system held against it.

====================  =======================================================================
corpus_index          the index on disk: built, appended to, opened, checked
calibration           what the corpus's own pieces share: near-duplicates, percentiles, curves
search                the passages of one piece that the corpus holds
report                a system against a corpus, as plain data
sound_index           the index of recordings on disk
sound_report          recordings against recordings, and their calibration
vectors               embeddings that users bring, as .npy files
systems               one door for all: which items go where, and one report of both
====================  =======================================================================
"""
