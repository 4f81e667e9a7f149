"""Certificate path building and judgement, with OpenSSL's numbered outcomes."""
