"""Training: the LoRA adapter, and the small base model that comes along."""
