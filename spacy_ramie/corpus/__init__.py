"""Corpora: records, their check, their .spacy form, and converters."""
