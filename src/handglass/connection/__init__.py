"""The public sans-I/O object: bytes in, events out, bytes to send."""
