"""The paper's experiments: arms that are trained and measured alike."""
