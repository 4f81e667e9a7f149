"""Record protection: one small class per kind."""
