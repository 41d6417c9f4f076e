"""Name and version of the package."""

__title__ = "spacy-ramie"
__version__ = "0.1.0"
