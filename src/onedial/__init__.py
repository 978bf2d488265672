"""One dial for model choice and test-time compute."""

__version__ = "0.1.0"
