"""Speed and memory, each as a ratio against the installed OpenSSL in the same run on the same machine: `make bench`."""
