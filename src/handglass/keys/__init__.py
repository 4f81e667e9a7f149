"""Key derivation: PRFs, the TLS 1.3 key schedule, transcripts, exporters."""
