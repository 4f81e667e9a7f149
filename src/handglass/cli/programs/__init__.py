"""The programs that are one module each."""
