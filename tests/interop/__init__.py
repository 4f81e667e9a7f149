"""Other people's programs against ours: every combination of the matrix, the outcome told by both sides."""
