"""Limits on what a peer controls. Every one has a default that no honest peer meets."""

from __future__ import annotations

from handglass.records import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each thing a peer may send.

    Sizes are bytes, the rest are counts.
    """

    handshake_message: int = 256 * 1024
    """The longest handshake message. A ClientHello cannot exceed 131,396 bytes (RFC 8446 §4.1.2)."""
    certificates: int = 100
    """Certificates in one message."""
    certificate_list: int = 200 * 1024
    """The length of one certificate list, after decompression too (RFC 8879 §5)."""
    empty_records: int = 32
    """Records in a row that carry no data."""
    warning_alerts: int = 5
    """Alerts in a row that do not end the connection."""
    change_cipher_specs: int = 32
    """ChangeCipherSpec messages that TLS 1.3 drops (RFC 8446 §D.4)."""
    key_updates: int = 32
    """KeyUpdate messages in a row with no application data between."""
    tickets: int = 256
    """NewSessionTicket messages on one connection."""
    certificate_requests: int = 32
    """Requests for our certificate after the handshake (RFC 8446 §4.6.2)."""
    renegotiations: int = 16
    """Handshakes after the first on one connection."""
    early_data: int = 16384
    """Early data that a server which refuses it skips, when no ticket says how much (RFC 8446 §4.2.10)."""
    input_while_asking: int = 1 << 20
    """Bytes that are kept while a deferred question waits for its answer."""
    extensions: int = 16384
    """Extensions of a ClientHello. More than 16,383 have no room there; those that are unknown must be passed over
    however many they are (RFC 8446 §4.1.2)."""
