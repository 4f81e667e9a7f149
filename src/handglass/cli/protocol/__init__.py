"""From options and configuration files to what the engine offers and accepts."""
