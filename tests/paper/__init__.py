"""The presets of the paper, each with a tiny random model of its architecture.

Nothing is downloaded: models are built here, tokenizers of the published kinds
are trained here, and the weightless encoder takes the place of the preset's.
"""
