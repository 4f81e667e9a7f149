"""The languages in which options name algorithms, protocols and versions; each parser returns code points."""
