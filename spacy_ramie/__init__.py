"""Retrieval-augmented, multi-task information extraction for spaCy with one local LLM.

Importing the package registers nothing and loads no model: spaCy finds the
component and the registered functions through entry points, and torch is
imported on the first note.
"""

import logging

from .about import __version__

logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = ["__version__"]
