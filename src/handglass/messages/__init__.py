"""One declaration per message and extension, and which extension may stand in which message."""
