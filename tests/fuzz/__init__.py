"""Mutated input for the engine; `python -m fuzz` runs any number of rounds."""
