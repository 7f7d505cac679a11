"""Embeddings: sound as frames of numbers, on which distances between sets are measured."""
