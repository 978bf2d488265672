"""The embedded models: tasks, tiny language models and their runtime, training."""
