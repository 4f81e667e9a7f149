"""The certificates, keys and chains that a program shows itself."""
