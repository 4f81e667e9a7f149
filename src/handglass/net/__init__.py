"""Sockets, STARTTLS dialogues, proxies, files, and the pump between them and a connection."""
