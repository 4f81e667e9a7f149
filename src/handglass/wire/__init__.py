"""The presentation language of RFC 8446 section 3: declare once; decode, encode and walk."""
