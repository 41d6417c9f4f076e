"""Answer styles: how a prompt is worded and how an answer is written and read."""

from .base import Row, Style
from .compact import CompactStyle, make_compact
from .paper import PaperStyle, make_paper

__all__ = ["CompactStyle", "PaperStyle", "Row", "Style", "make_compact", "make_paper"]
