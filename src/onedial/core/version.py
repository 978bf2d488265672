"""The version of the package; the only place in the code that names it."""

__version__ = "0.1.0"
