"""The option table, the programs, and the text they print."""
