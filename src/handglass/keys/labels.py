"""Every secret of a connection, once: the label it is derived with beside the label it is logged under.

The derivation labels are RFC 8446 §7.1 (and RFC 5246 §8.1 for the master secret); the key log
labels are those of the SSLKEYLOGFILE format (RFC 9850).
"""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """Which secret of the key schedule another one is derived from (RFC 8446 §7.1)."""

    EARLY = "early"
    HANDSHAKE = "handshake"
    MASTER = "master"
    PRF = "prf"  # TLS 1.2 and before


class SecretLabel(Enum):
    """A secret: `derivation` label, `key_log` label (None: never logged), `stage` it comes from."""

    EXTERNAL_BINDER = (b"ext binder", None, Stage.EARLY)
    RESUMPTION_BINDER = (b"res binder", None, Stage.EARLY)
    IMPORTED_BINDER = (b"imp binder", None, Stage.EARLY)  # RFC 9258 §5.2
    CLIENT_EARLY_TRAFFIC = (b"c e traffic", "CLIENT_EARLY_TRAFFIC_SECRET", Stage.EARLY)
    EARLY_EXPORTER = (b"e exp master", "EARLY_EXPORTER_SECRET", Stage.EARLY)
    CLIENT_HANDSHAKE_TRAFFIC = (b"c hs traffic", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", Stage.HANDSHAKE)
    SERVER_HANDSHAKE_TRAFFIC = (b"s hs traffic", "SERVER_HANDSHAKE_TRAFFIC_SECRET", Stage.HANDSHAKE)
    CLIENT_APPLICATION_TRAFFIC = (b"c ap traffic", "CLIENT_TRAFFIC_SECRET_0", Stage.MASTER)
    SERVER_APPLICATION_TRAFFIC = (b"s ap traffic", "SERVER_TRAFFIC_SECRET_0", Stage.MASTER)
    EXPORTER = (b"exp master", "EXPORTER_SECRET", Stage.MASTER)
    RESUMPTION = (b"res master", None, Stage.MASTER)
    MASTER_SECRET = (b"master secret", "CLIENT_RANDOM", Stage.PRF)

    derivation: bytes
    key_log: str | None
    stage: Stage

    def __init__(self, derivation: bytes, key_log: str | None, stage: Stage) -> None:
        self.derivation = derivation
        self.key_log = key_log
        self.stage = stage


TLS13_PREFIX = b"tls13 "  # RFC 8446 §7.1
DTLS13_PREFIX = b"dtls13"  # RFC 9147 §5.9
