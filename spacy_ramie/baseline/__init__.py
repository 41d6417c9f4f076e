"""What an LLM has to beat: spaCy's own CPU pipeline, and published usage rules."""
