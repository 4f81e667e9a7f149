"""The conversations below TLS 1.3 (RFC 5246 and its predecessors)."""
