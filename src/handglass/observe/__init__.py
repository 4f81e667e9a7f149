"""Consumers of events: message dumps, states, key log, reports."""
