"""Scoring: predictions against gold records, and the report of it."""
