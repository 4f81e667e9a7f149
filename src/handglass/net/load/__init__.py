"""A load of client connections on one server, and how long each of their steps took."""
