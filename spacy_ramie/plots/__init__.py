"""Figures of the report, as SVG that stands within the page."""
