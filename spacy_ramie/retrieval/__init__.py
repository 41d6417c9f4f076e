"""Retrieval: the most similar labelled sentence, found by the sentence alone."""
