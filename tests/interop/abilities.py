"""What each peer can do, and why the rest is left out. Seen with OpenSSL 3.0.19, GnuTLS 3.7.9, NSS 3.87, curl 7.88.

Left out, and why:

- X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024 and ML-DSA certificates: none of these versions has them.
- brainpool groups in TLS 1.3 (RFC 8734): OpenSSL 3.0 offers them in TLS 1.2 only, the others not at all.
- ffdhe6144 and ffdhe8192: OpenSSL, GnuTLS and NSS have them; one handshake takes as long as fifty others. One
  combination of each is tested, see `SLOW_GROUPS`.
- the integrity-only suites of RFC 9150, and record size limit or certificate compression: no peer has the former;
  the latter two are no dimension of the matrix.
- gnutls-serv and gnutls-cli, TLS_AES_128_CCM_8_SHA256 and the other CCM_8 suites: they have them.
- NSS: no CCM, no X448, no Ed25519 or Ed448; DHE only with AES and ChaCha20 as listed; its client and server resume
  by ticket alone in these programs.
- curl is a client alone; it names no group, so that the group is what our server says.
"""

from __future__ import annotations

from interop.combinations import Abilities
from interop.vocabulary import TLS12_SUITES, TLS13_SUITES

SUITES = (*TLS13_SUITES, *TLS12_SUITES)
KEYS = ("rsa", "rsa_pss", "p256", "p384", "p521", "ed25519", "ed448")
FFDHE = ("ffdhe2048", "ffdhe3072", "ffdhe4096")
CURVES = ("X25519", "X448", "P-256", "P-384", "P-521")
BRAINPOOL = ("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1")

OPENSSL = Abilities(
    suites=SUITES,
    groups=(*CURVES, *FFDHE),
    groups12=(*CURVES, *BRAINPOOL),
    certificates=KEYS,
    clients=KEYS,
    resumptions12=("ticket", "session id"),
    retry=True,
)
GNUTLS = Abilities(
    suites=SUITES,
    groups=(*CURVES, *FFDHE),
    groups12=CURVES,
    certificates=KEYS,
    clients=KEYS,
    resumptions12=("ticket", "session id"),
    retry=True,
)
NSS_KEYS = ("rsa", "rsa_pss", "p256", "p384", "p521")
NSS = Abilities(
    suites=tuple(suite for suite in SUITES if "CCM" not in suite.name),
    groups=("X25519", "P-256", "P-384", "P-521", *FFDHE),
    groups12=("X25519", "P-256", "P-384", "P-521"),
    certificates=NSS_KEYS,
    clients=NSS_KEYS,
    retry=True,
)
CURL = Abilities(
    suites=SUITES,
    groups=(*CURVES, *FFDHE),
    groups12=CURVES,
    certificates=KEYS,
    clients=("rsa", "p256", "ed25519"),
    retry=True,
)
