"""The conversations, client and server, that read like their RFC."""
