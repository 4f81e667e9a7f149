"""The only importer of cryptographic primitives: AEAD, CBC, groups, signatures, hashes."""
