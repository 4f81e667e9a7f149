"""How whole handshake messages travel: over a stream, or in datagrams."""
