"""Handglass: looking at TLS."""
