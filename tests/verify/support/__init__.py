"""What the verification tests share: odd certificates, the installed OpenSSL to compare with."""
