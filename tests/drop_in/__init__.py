"""Other people's programs with handglass in the place of `openssl`, and whether their verdicts stay the same."""
