"""Handglass: looking at TLS."""

__version__ = "0.1.0"
