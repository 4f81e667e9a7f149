"""s_server: serve TLS to any number of clients, show everything, talk."""
