"""Measure Handglass beside the installed OpenSSL: `make bench`, or `python -m bench --help`."""
