"""The gateway: an OpenAI-compatible endpoint in front of the pool. What it decides is decided in `engine` and `policies`."""
