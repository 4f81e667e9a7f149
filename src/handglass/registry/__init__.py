"""Code points with every name in use (IANA, OpenSSL, trace), reasons for failure, and errors. No logic."""
