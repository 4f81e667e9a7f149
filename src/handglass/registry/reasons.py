"""Why a session failed: one row per distinct failure, with the alert that goes to the peer.

Strategy: a table. Code raises a reason; the alert, the sentence for a person and the place in the standard
follow from it, so that they cannot contradict each other. Sentences say what happened from our side, "the
peer" being the other one, and carry no full stop: a detail and the reference are put behind them. Rows
stand in the order in which a connection can meet them.
"""

from __future__ import annotations

from functools import cache

from handglass.records import Frozen
from handglass.registry.code_points import AlertDescription


class Reason(Frozen):
    """One distinct failure."""

    name: str
    alert: AlertDescription
    sentence: str
    reference: str
    """Document and section, such as `RFC 8446 §4.1.3`."""


@cache
def all_reasons() -> dict[str, Reason]:
    """Every reason by name."""
    return {name: value for name, value in globals().items() if isinstance(value, Reason)}


# Two lines to a row: name and alert, sentence and reference.
A = AlertDescription
# fmt: off

# The record layer
NOT_TLS = Reason("NOT_TLS", A.PROTOCOL_VERSION,
    "What the peer sent is not TLS; another protocol may be spoken on this port", "RFC 8446 §5.1")
NOT_TLS_HTTP = Reason("NOT_TLS_HTTP", A.PROTOCOL_VERSION,
    "The peer speaks plain HTTP on this port, not TLS", "RFC 8446 §5.1")
SSL2_HELLO_REFUSED = Reason("SSL2_HELLO_REFUSED", A.PROTOCOL_VERSION,
    "The peer opened with an SSL 2.0 hello, and it is not accepted here", "RFC 6176 §3")
UNEXPECTED_EOF = Reason("UNEXPECTED_EOF", A.CLOSE_NOTIFY,
    "The connection was cut without close_notify, so the data may be incomplete", "RFC 8446 §6.1")
EOF_DURING_HANDSHAKE = Reason("EOF_DURING_HANDSHAKE", A.HANDSHAKE_FAILURE,
    "The peer closed the connection in the middle of the handshake, without an alert", "RFC 8446 §6.2")
HANDSHAKE_CALLED_OFF = Reason("HANDSHAKE_CALLED_OFF", A.CLOSE_NOTIFY,
    "The peer has called the handshake off", "RFC 8446 §6.1")
ILLEGAL_HEARTBEAT_MODE = Reason("ILLEGAL_HEARTBEAT_MODE", A.ILLEGAL_PARAMETER,
    "The peer says of heartbeats what cannot be said", "RFC 6520 §2")
HEARTBEATS_NOT_AGREED_ON = Reason("HEARTBEATS_NOT_AGREED_ON", A.INTERNAL_ERROR,
    "The peer has not agreed to heartbeats", "RFC 6520 §2")
HEARTBEAT_UNDER_WAY = Reason("HEARTBEAT_UNDER_WAY", A.INTERNAL_ERROR,
    "A heartbeat request still waits for its response", "RFC 6520 §3")
HEARTBEAT_TOO_LONG = Reason("HEARTBEAT_TOO_LONG", A.INTERNAL_ERROR,
    "A heartbeat must fit into one record", "RFC 6520 §4")
UNKNOWN_RECORD_TYPE = Reason("UNKNOWN_RECORD_TYPE", A.UNEXPECTED_MESSAGE,
    "The peer sent a record of a type that does not exist", "RFC 8446 §5")
WRONG_RECORD_VERSION = Reason("WRONG_RECORD_VERSION", A.PROTOCOL_VERSION,
    "A record carries another protocol version than the one in use", "RFC 5246 §6.2.1")
RECORD_OVERFLOW = Reason("RECORD_OVERFLOW", A.RECORD_OVERFLOW,
    "The peer sent a record that is longer than the protocol allows", "RFC 8446 §5.1")
CIPHERTEXT_OVERFLOW = Reason("CIPHERTEXT_OVERFLOW", A.RECORD_OVERFLOW,
    "The peer sent a protected record that is longer than the protocol allows", "RFC 8446 §5.2")
RECORD_SIZE_LIMIT_EXCEEDED = Reason("RECORD_SIZE_LIMIT_EXCEEDED", A.RECORD_OVERFLOW,
    "The peer sent a record that is longer than the limit which we asked for", "RFC 8449 §4")
MAX_FRAGMENT_LENGTH_EXCEEDED = Reason("MAX_FRAGMENT_LENGTH_EXCEEDED", A.RECORD_OVERFLOW,
    "The peer sent a record that is longer than the agreed fragment length", "RFC 6066 §4")
BAD_RECORD_MAC = Reason("BAD_RECORD_MAC", A.BAD_RECORD_MAC,
    "A record from the peer could not be authenticated: damaged, forged, or other keys", "RFC 8446 §5.2")
RECORD_TOO_SHORT = Reason("RECORD_TOO_SHORT", A.BAD_RECORD_MAC,
    "A protected record is too short to hold what its protection needs", "RFC 8446 §5.2")
UNPROTECTED_RECORD = Reason("UNPROTECTED_RECORD", A.UNEXPECTED_MESSAGE,
    "The peer sent an unprotected record where only protected ones may come", "RFC 8446 §5")
NO_CONTENT_TYPE = Reason("NO_CONTENT_TYPE", A.UNEXPECTED_MESSAGE,
    "A protected record holds nothing but padding", "RFC 8446 §5.4")
EMPTY_RECORD = Reason("EMPTY_RECORD", A.UNEXPECTED_MESSAGE,
    "The peer sent an empty record of a type that may not be empty", "RFC 8446 §5.1")
HANDSHAKE_INTERRUPTED = Reason("HANDSHAKE_INTERRUPTED", A.UNEXPECTED_MESSAGE,
    "The peer put another record between the parts of one handshake message", "RFC 8446 §5.1")
EXCESS_HANDSHAKE_DATA = Reason("EXCESS_HANDSHAKE_DATA", A.UNEXPECTED_MESSAGE,
    "The peer sent more handshake data in a record after which the keys change", "RFC 8446 §5.1")
PREMATURE_MESSAGE = Reason("PREMATURE_MESSAGE", A.UNEXPECTED_MESSAGE,
    "The peer went on with the handshake before it could have our answer", "RFC 5246 §7.3")
BAD_ALERT = Reason("BAD_ALERT", A.DECODE_ERROR,
    "The peer sent an alert record that does not hold exactly one alert", "RFC 8446 §5.1")
UNKNOWN_ALERT_LEVEL = Reason("UNKNOWN_ALERT_LEVEL", A.ILLEGAL_PARAMETER,
    "The peer sent an alert with a level that does not exist", "RFC 8446 §6")
UNEXPECTED_CHANGE_CIPHER_SPEC = Reason("UNEXPECTED_CHANGE_CIPHER_SPEC", A.UNEXPECTED_MESSAGE,
    "The peer sent change_cipher_spec at a point where it may not come", "RFC 8446 §5")
BAD_CHANGE_CIPHER_SPEC = Reason("BAD_CHANGE_CIPHER_SPEC", A.UNEXPECTED_MESSAGE,
    "The peer sent a change_cipher_spec that is not the single byte 1", "RFC 8446 §5")
UNEXPECTED_APPLICATION_DATA = Reason("UNEXPECTED_APPLICATION_DATA", A.UNEXPECTED_MESSAGE,
    "The peer sent application data before the handshake was done", "RFC 8446 §5")
SEQUENCE_EXHAUSTED = Reason("SEQUENCE_EXHAUSTED", A.INTERNAL_ERROR,
    "The record sequence numbers are used up", "RFC 8446 §5.3")
KEY_LIMIT_REACHED = Reason("KEY_LIMIT_REACHED", A.INTERNAL_ERROR,
    "The keys have protected as many records as is safe, and cannot be updated", "RFC 8446 §5.5")

# Limits on what a peer may make us do
HANDSHAKE_MESSAGE_TOO_LONG = Reason("HANDSHAKE_MESSAGE_TOO_LONG", A.ILLEGAL_PARAMETER,
    "The peer announced a handshake message that is longer than we accept", "RFC 8446 §4")
TOO_MANY_EMPTY_RECORDS = Reason("TOO_MANY_EMPTY_RECORDS", A.UNEXPECTED_MESSAGE,
    "The peer sent too many empty records in a row", "RFC 8446 §5.1")
TOO_MANY_WARNING_ALERTS = Reason("TOO_MANY_WARNING_ALERTS", A.UNEXPECTED_MESSAGE,
    "The peer sent too many warning alerts", "RFC 8446 §6")
TOO_MANY_CHANGE_CIPHER_SPECS = Reason("TOO_MANY_CHANGE_CIPHER_SPECS", A.UNEXPECTED_MESSAGE,
    "The peer sent too many change_cipher_spec records", "RFC 8446 §D.4")
TOO_MANY_KEY_UPDATES = Reason("TOO_MANY_KEY_UPDATES", A.UNEXPECTED_MESSAGE,
    "The peer asked for too many key updates in a row", "RFC 8446 §4.6.3")
TOO_MANY_HELLO_REQUESTS = Reason("TOO_MANY_HELLO_REQUESTS", A.UNEXPECTED_MESSAGE,
    "The peer asked for renegotiation too often", "RFC 5246 §7.4.1.1")
TOO_MANY_RENEGOTIATIONS = Reason("TOO_MANY_RENEGOTIATIONS", A.NO_RENEGOTIATION,
    "The peer renegotiated too often", "RFC 5246 §7.4.1.1")
TOO_MANY_TICKETS = Reason("TOO_MANY_TICKETS", A.UNEXPECTED_MESSAGE,
    "The peer sent too many session tickets", "RFC 8446 §4.6.1")
TOO_MANY_CERTIFICATE_REQUESTS = Reason("TOO_MANY_CERTIFICATE_REQUESTS", A.UNEXPECTED_MESSAGE,
    "The peer asked for our certificate too often", "RFC 8446 §4.6.2")
TOO_MANY_EXTENSIONS = Reason("TOO_MANY_EXTENSIONS", A.ILLEGAL_PARAMETER,
    "The peer sent more extensions in one message than we accept", "RFC 8446 §4.2")
TOO_MANY_CERTIFICATES = Reason("TOO_MANY_CERTIFICATES", A.BAD_CERTIFICATE,
    "The peer sent a longer certificate chain than we accept", "RFC 8446 §4.4.2")
CERTIFICATES_TOO_LONG = Reason("CERTIFICATES_TOO_LONG", A.BAD_CERTIFICATE,
    "The peer's certificates take more bytes than we accept", "RFC 8446 §4.4.2")
UNWANTED_STATUS_TYPE = Reason("UNWANTED_STATUS_TYPE", A.ILLEGAL_PARAMETER,
    "The server sent a certificate status of a kind that was not asked for", "RFC 6961 §2.2")
TOO_MANY_STATUS_RESPONSES = Reason("TOO_MANY_STATUS_RESPONSES", A.ILLEGAL_PARAMETER,
    "The server stapled more OCSP responses than it sent certificates", "RFC 6961 §2.2")
DECOMPRESSED_CERTIFICATE_TOO_LONG = Reason("DECOMPRESSED_CERTIFICATE_TOO_LONG", A.BAD_CERTIFICATE,
    "The peer's compressed certificate message unpacks to more bytes than we accept", "RFC 8879 §4")
TOO_MUCH_EARLY_DATA = Reason("TOO_MUCH_EARLY_DATA", A.UNEXPECTED_MESSAGE,
    "The peer sent more early data than the ticket allows", "RFC 8446 §4.2.10")
TOO_MUCH_SKIPPED_DATA = Reason("TOO_MUCH_SKIPPED_DATA", A.UNEXPECTED_MESSAGE,
    "The peer sent more rejected early data than we are willing to skip", "RFC 8446 §4.2.10")
TOO_MUCH_WHILE_ASKING = Reason("TOO_MUCH_WHILE_ASKING", A.INTERNAL_ERROR,
    "More came while a question waited for its answer than is kept", "RFC 8446 §6.2")
NOT_IN_THIS_VERSION = Reason("NOT_IN_THIS_VERSION", A.INTERNAL_ERROR,
    "The protocol version of this connection does not have what was asked for", "RFC 8446 §1.2")
HANDSHAKE_TIMEOUT = Reason("HANDSHAKE_TIMEOUT", A.USER_CANCELED,
    "The handshake was not done within its time limit", "RFC 8446 §6.1")

# Messages
UNEXPECTED_MESSAGE = Reason("UNEXPECTED_MESSAGE", A.UNEXPECTED_MESSAGE,
    "The peer sent a message that may not come at this point of the handshake", "RFC 8446 §4")
DECODE_ERROR = Reason("DECODE_ERROR", A.DECODE_ERROR,
    "A message from the peer does not have the form that it must have", "RFC 8446 §6.2")

# Version
NO_COMMON_VERSION = Reason("NO_COMMON_VERSION", A.PROTOCOL_VERSION,
    "The peer offers no protocol version that is enabled here", "RFC 8446 §4.2.1")
VERSION_NOT_ENABLED = Reason("VERSION_NOT_ENABLED", A.PROTOCOL_VERSION,
    "The peer chose a protocol version that is not enabled here", "RFC 8446 §4.1.3")
ILLEGAL_SELECTED_VERSION = Reason("ILLEGAL_SELECTED_VERSION", A.ILLEGAL_PARAMETER,
    "The peer selected a version that we did not offer in supported_versions", "RFC 8446 §4.2.1")
ILLEGAL_LEGACY_VERSION = Reason("ILLEGAL_LEGACY_VERSION", A.ILLEGAL_PARAMETER,
    "The peer's hello carries a legacy_version that may not stand there", "RFC 8446 §4.1.3")
VERSION_CHANGED = Reason("VERSION_CHANGED", A.ILLEGAL_PARAMETER,
    "The peer changed the protocol version between its two hellos", "RFC 8446 §4.1.4")
DOWNGRADE_DETECTED = Reason("DOWNGRADE_DETECTED", A.ILLEGAL_PARAMETER,
    "Somebody forced an older version: the server's random says that it can do better", "RFC 8446 §4.1.3")
INAPPROPRIATE_FALLBACK = Reason("INAPPROPRIATE_FALLBACK", A.INAPPROPRIATE_FALLBACK,
    "The client fell back to an older version although we support a newer one", "RFC 7507 §3")

# Suite, compression, session
NO_COMMON_SUITE = Reason("NO_COMMON_SUITE", A.HANDSHAKE_FAILURE,
    "The peer offers no cipher suite that can be used here", "RFC 8446 §4.1.1")
ILLEGAL_SUITE = Reason("ILLEGAL_SUITE", A.ILLEGAL_PARAMETER,
    "The peer chose a cipher suite that we did not offer", "RFC 8446 §4.1.3")
SUITE_NOT_FOR_VERSION = Reason("SUITE_NOT_FOR_VERSION", A.ILLEGAL_PARAMETER,
    "The peer chose a cipher suite that does not exist in the version it chose", "RFC 8446 §4.1.3")
SUITE_CHANGED = Reason("SUITE_CHANGED", A.ILLEGAL_PARAMETER,
    "The peer changed the cipher suite between its two hellos", "RFC 8446 §4.1.4")
SUITE_CHANGED_IN_RESUMPTION = Reason("SUITE_CHANGED_IN_RESUMPTION", A.ILLEGAL_PARAMETER,
    "The peer resumed a session with another cipher suite than it was made with", "RFC 5246 §7.4.1.3")
ILLEGAL_COMPRESSION = Reason("ILLEGAL_COMPRESSION", A.ILLEGAL_PARAMETER,
    "The peer chose a compression that we did not offer", "RFC 8446 §4.1.3")
COMPRESSION_OFFERED = Reason("COMPRESSION_OFFERED", A.ILLEGAL_PARAMETER,
    "The client offers compression together with TLS 1.3", "RFC 8446 §4.1.2")
NULL_COMPRESSION_MISSING = Reason("NULL_COMPRESSION_MISSING", A.ILLEGAL_PARAMETER,
    "The client does not offer to do without compression, as each must", "RFC 5246 §7.4.1.2")
ILLEGAL_SESSION_ID = Reason("ILLEGAL_SESSION_ID", A.ILLEGAL_PARAMETER,
    "The server did not echo our session id", "RFC 8446 §4.1.3")

UNKNOWN_SESSION_RESUMED = Reason("UNKNOWN_SESSION_RESUMED", A.ILLEGAL_PARAMETER,
    "The server resumes a session that does not exist: it echoed an id that was made up for compatibility",
    "RFC 5246 §7.4.1.3")

# Second hello
SECOND_RETRY = Reason("SECOND_RETRY", A.UNEXPECTED_MESSAGE,
    "The server asked for a third hello", "RFC 8446 §4.1.4")
RETRY_WITHOUT_CHANGE = Reason("RETRY_WITHOUT_CHANGE", A.ILLEGAL_PARAMETER,
    "The server asked for a second hello that would be the same as the first", "RFC 8446 §4.1.4")
ILLEGAL_RETRY_GROUP = Reason("ILLEGAL_RETRY_GROUP", A.ILLEGAL_PARAMETER,
    "The server asked for a share of a group not offered, or one it already has", "RFC 8446 §4.2.8")
SECOND_HELLO_CHANGED = Reason("SECOND_HELLO_CHANGED", A.ILLEGAL_PARAMETER,
    "The client's second hello differs from the first where it may not", "RFC 8446 §4.1.2")
SECOND_HELLO_WRONG_SHARE = Reason("SECOND_HELLO_WRONG_SHARE", A.ILLEGAL_PARAMETER,
    "The client's second hello does not bring the one key share that was asked for", "RFC 8446 §4.1.2")
BAD_COOKIE = Reason("BAD_COOKIE", A.ILLEGAL_PARAMETER,
    "The client's cookie is not one of ours", "RFC 8446 §4.2.2")

# Extensions
UNSOLICITED_EXTENSION = Reason("UNSOLICITED_EXTENSION", A.UNSUPPORTED_EXTENSION,
    "The peer answered with an extension that we did not send", "RFC 8446 §4.2")
DUPLICATE_EXTENSION = Reason("DUPLICATE_EXTENSION", A.ILLEGAL_PARAMETER,
    "The peer sent the same extension twice in one message", "RFC 8446 §4.2")
MISPLACED_EXTENSION = Reason("MISPLACED_EXTENSION", A.ILLEGAL_PARAMETER,
    "The peer sent an extension in a message where it may not stand", "RFC 8446 §4.2")
PSK_NOT_LAST = Reason("PSK_NOT_LAST", A.ILLEGAL_PARAMETER,
    "The client's pre_shared_key is not its last extension", "RFC 8446 §4.2.11")
MISSING_EXTENSION = Reason("MISSING_EXTENSION", A.MISSING_EXTENSION,
    "The peer left out an extension that it must send", "RFC 8446 §9.2")
MISSING_SUPPORTED_GROUPS = Reason("MISSING_SUPPORTED_GROUPS", A.MISSING_EXTENSION,
    "The client sent key_share without supported_groups, or neither", "RFC 8446 §9.2")
MISSING_KEY_SHARE = Reason("MISSING_KEY_SHARE", A.MISSING_EXTENSION,
    "The peer's hello has no key_share, and the key exchange needs one", "RFC 8446 §9.2")
MISSING_SIGNATURE_ALGORITHMS = Reason("MISSING_SIGNATURE_ALGORITHMS", A.MISSING_EXTENSION,
    "The peer does not say which signatures it accepts", "RFC 8446 §4.2.3")
MISSING_PSK_MODES = Reason("MISSING_PSK_MODES", A.MISSING_EXTENSION,
    "The client offers a pre-shared key without psk_key_exchange_modes", "RFC 8446 §4.2.9")

# Key exchange
NO_COMMON_GROUP = Reason("NO_COMMON_GROUP", A.HANDSHAKE_FAILURE,
    "The peer offers no key exchange group that can be used here", "RFC 8446 §4.1.1")
ILLEGAL_GROUP = Reason("ILLEGAL_GROUP", A.ILLEGAL_PARAMETER,
    "The peer used a key exchange group that we did not offer", "RFC 8446 §4.2.8")
KEY_SHARE_NOT_IN_GROUPS = Reason("KEY_SHARE_NOT_IN_GROUPS", A.ILLEGAL_PARAMETER,
    "The client sent a key share for a group that it does not list", "RFC 8446 §4.2.8")
DUPLICATE_KEY_SHARE = Reason("DUPLICATE_KEY_SHARE", A.ILLEGAL_PARAMETER,
    "The client sent two key shares for one group", "RFC 8446 §4.2.8")
ILLEGAL_KEY_SHARE = Reason("ILLEGAL_KEY_SHARE", A.ILLEGAL_PARAMETER,
    "The peer's public key is not a valid one of its group", "RFC 8446 §4.2.8.2")
ILLEGAL_DH_PUBLIC = Reason("ILLEGAL_DH_PUBLIC", A.ILLEGAL_PARAMETER,
    "The peer's Diffie-Hellman value is out of range", "RFC 8446 §4.2.8.1")
ILLEGAL_DH_PARAMETERS = Reason("ILLEGAL_DH_PARAMETERS", A.ILLEGAL_PARAMETER,
    "The server's Diffie-Hellman parameters make no sense", "RFC 5246 §7.4.3")
NO_COMMON_FFDHE_GROUP = Reason("NO_COMMON_FFDHE_GROUP", A.INSUFFICIENT_SECURITY,
    "The peer offers no finite-field group that is used here, and no other key exchange", "RFC 7919 §4")
DH_PRIME_TOO_SHORT = Reason("DH_PRIME_TOO_SHORT", A.INSUFFICIENT_SECURITY,
    "The server's Diffie-Hellman prime is shorter than we accept", "RFC 7919 §3")
DH_PRIME_TOO_LONG = Reason("DH_PRIME_TOO_LONG", A.ILLEGAL_PARAMETER,
    "The server's Diffie-Hellman prime is longer than we accept", "RFC 7919 §3")
ILLEGAL_CURVE_TYPE = Reason("ILLEGAL_CURVE_TYPE", A.ILLEGAL_PARAMETER,
    "The server describes its curve instead of naming it", "RFC 8422 §5.4")
ILLEGAL_POINT_FORMATS = Reason("ILLEGAL_POINT_FORMATS", A.ILLEGAL_PARAMETER,
    "The peer's ec_point_formats leaves out uncompressed points", "RFC 8422 §5.1.2")

# Pre-shared keys, tickets, early data
ILLEGAL_PSK_INDEX = Reason("ILLEGAL_PSK_INDEX", A.ILLEGAL_PARAMETER,
    "The server chose a pre-shared key that we did not offer", "RFC 8446 §4.2.11")
PSK_HASH_MISMATCH = Reason("PSK_HASH_MISMATCH", A.ILLEGAL_PARAMETER,
    "The server chose a cipher suite whose hash does not fit the pre-shared key", "RFC 8446 §4.2.11")
PSK_MODE_MISMATCH = Reason("PSK_MODE_MISMATCH", A.ILLEGAL_PARAMETER,
    "The server chose a key exchange mode for the pre-shared key that we did not offer", "RFC 8446 §4.2.9")
BINDER_MISMATCH = Reason("BINDER_MISMATCH", A.DECRYPT_ERROR,
    "The client's binder is wrong: it does not have the pre-shared key that it names", "RFC 8446 §4.2.11")
BINDER_COUNT_MISMATCH = Reason("BINDER_COUNT_MISMATCH", A.ILLEGAL_PARAMETER,
    "The client sent another number of binders than of identities", "RFC 8446 §4.2.11")
UNKNOWN_PSK_IDENTITY = Reason("UNKNOWN_PSK_IDENTITY", A.UNKNOWN_PSK_IDENTITY,
    "The client named a pre-shared key that we do not have", "RFC 8446 §4.2.11")
ILLEGAL_TICKET_LIFETIME = Reason("ILLEGAL_TICKET_LIFETIME", A.ILLEGAL_PARAMETER,
    "The server gave a ticket a life of more than seven days", "RFC 8446 §4.6.1")
ILLEGAL_EARLY_DATA = Reason("ILLEGAL_EARLY_DATA", A.ILLEGAL_PARAMETER,
    "The server accepted early data under other terms than the ticket's", "RFC 8446 §4.2.10")
EARLY_DATA_DOWNGRADE = Reason("EARLY_DATA_DOWNGRADE", A.PROTOCOL_VERSION,
    "The server chose an older version although we sent early data of TLS 1.3", "RFC 8446 §D.3")
EARLY_DATA_IN_SECOND_HELLO = Reason("EARLY_DATA_IN_SECOND_HELLO", A.ILLEGAL_PARAMETER,
    "The client offers early data in its second hello", "RFC 8446 §4.1.2")

# Authentication
NO_COMMON_SIGNATURE = Reason("NO_COMMON_SIGNATURE", A.HANDSHAKE_FAILURE,
    "None of our keys can make a signature that the peer accepts", "RFC 8446 §4.2.3")
NO_CERTIFICATE_CONFIGURED = Reason("NO_CERTIFICATE_CONFIGURED", A.HANDSHAKE_FAILURE,
    "We have no certificate to show, and the handshake needs one", "RFC 8446 §4.4.2")
ILLEGAL_SIGNATURE_SCHEME = Reason("ILLEGAL_SIGNATURE_SCHEME", A.ILLEGAL_PARAMETER,
    "The peer signed in a way that we did not offer to accept", "RFC 8446 §4.4.3")
SIGNATURE_KEY_MISMATCH = Reason("SIGNATURE_KEY_MISMATCH", A.ILLEGAL_PARAMETER,
    "The peer's signature scheme does not fit the key in its certificate", "RFC 8446 §4.4.3")
BAD_SIGNATURE = Reason("BAD_SIGNATURE", A.DECRYPT_ERROR,
    "The peer's signature is wrong: it does not have its certificate's key, or data was changed",
    "RFC 8446 §4.4.3")
BAD_FINISHED = Reason("BAD_FINISHED", A.DECRYPT_ERROR,
    "The peer's Finished is wrong: the two sides saw different handshakes or have different keys",
    "RFC 8446 §4.4.4")
EMPTY_SERVER_CERTIFICATE = Reason("EMPTY_SERVER_CERTIFICATE", A.DECODE_ERROR,
    "The server sent no certificate in its certificate message", "RFC 8446 §4.4.2.4")
CERTIFICATE_REQUIRED = Reason("CERTIFICATE_REQUIRED", A.CERTIFICATE_REQUIRED,
    "The client sent no certificate, and one is required", "RFC 8446 §4.4.2.4")
CERTIFICATE_REQUIRED_LEGACY = Reason("CERTIFICATE_REQUIRED_LEGACY", A.HANDSHAKE_FAILURE,
    "The client sent no certificate, and one is required", "RFC 5246 §7.4.6")
NO_COMMON_CERTIFICATE_TYPE = Reason("NO_COMMON_CERTIFICATE_TYPE", A.UNSUPPORTED_CERTIFICATE,
    "The two sides have no type of certificate in common", "RFC 7250 §4.2")
ILLEGAL_CERTIFICATE_TYPE = Reason("ILLEGAL_CERTIFICATE_TYPE", A.ILLEGAL_PARAMETER,
    "The server chose a type of certificate that we did not offer", "RFC 7250 §4.2")
SEVERAL_RAW_PUBLIC_KEYS = Reason("SEVERAL_RAW_PUBLIC_KEYS", A.ILLEGAL_PARAMETER,
    "The peer sent more than the one raw public key that may come", "RFC 8446 §4.4.2")
WRONG_REQUEST_CONTEXT = Reason("WRONG_REQUEST_CONTEXT", A.ILLEGAL_PARAMETER,
    "The peer's certificate message does not belong to our request", "RFC 8446 §4.4.2")
NONEMPTY_REQUEST_CONTEXT = Reason("NONEMPTY_REQUEST_CONTEXT", A.ILLEGAL_PARAMETER,
    "The certificate_request_context is not empty, as it must be during the handshake", "RFC 8446 §4.3.2")
DUPLICATE_REQUEST_CONTEXT = Reason("DUPLICATE_REQUEST_CONTEXT", A.ILLEGAL_PARAMETER,
    "The server used a certificate_request_context for the second time", "RFC 8446 §4.3.2")
POST_HANDSHAKE_AUTH_NOT_OFFERED = Reason("POST_HANDSHAKE_AUTH_NOT_OFFERED", A.UNEXPECTED_MESSAGE,
    "The server asked for our certificate after the handshake, which we did not offer", "RFC 8446 §4.6.2")
NO_POST_HANDSHAKE_AUTH = Reason("NO_POST_HANDSHAKE_AUTH", A.INTERNAL_ERROR,
    "The client cannot be asked for a certificate after the handshake", "RFC 8446 §4.6.2")
UNSOLICITED_CERTIFICATE = Reason("UNSOLICITED_CERTIFICATE", A.UNEXPECTED_MESSAGE,
    "The client sent a certificate that nobody asked for", "RFC 8446 §4.4.2")
ILLEGAL_CERTIFICATE_COMPRESSION = Reason("ILLEGAL_CERTIFICATE_COMPRESSION", A.ILLEGAL_PARAMETER,
    "The peer compressed its certificate in a way that we did not offer", "RFC 8879 §4")
CERTIFICATE_DECOMPRESSION_FAILED = Reason("CERTIFICATE_DECOMPRESSION_FAILED", A.BAD_CERTIFICATE,
    "The peer's compressed certificate message cannot be unpacked as it says", "RFC 8879 §4")
BAD_CERTIFICATE = Reason("BAD_CERTIFICATE", A.BAD_CERTIFICATE,
    "The peer's certificate is damaged or breaks a rule", "RFC 5280 §6.1")
CERTIFICATE_NAME_MISMATCH = Reason("CERTIFICATE_NAME_MISMATCH", A.BAD_CERTIFICATE,
    "The peer's certificate is for another name than the one asked for", "RFC 9525 §6")
UNSUPPORTED_CERTIFICATE = Reason("UNSUPPORTED_CERTIFICATE", A.UNSUPPORTED_CERTIFICATE,
    "The peer's certificate may not be used for this purpose", "RFC 5280 §4.2.1.12")
CERTIFICATE_REVOKED = Reason("CERTIFICATE_REVOKED", A.CERTIFICATE_REVOKED,
    "The peer's certificate was revoked by its issuer", "RFC 5280 §6.3")
CERTIFICATE_EXPIRED = Reason("CERTIFICATE_EXPIRED", A.CERTIFICATE_EXPIRED,
    "A certificate in the peer's chain has expired", "RFC 5280 §4.1.2.5")
CERTIFICATE_NOT_YET_VALID = Reason("CERTIFICATE_NOT_YET_VALID", A.BAD_CERTIFICATE,
    "A certificate in the peer's chain is not valid yet; check the clocks", "RFC 5280 §4.1.2.5")
CERTIFICATE_UNKNOWN = Reason("CERTIFICATE_UNKNOWN", A.CERTIFICATE_UNKNOWN,
    "The peer's certificate was refused", "RFC 8446 §4.4.2.4")
UNKNOWN_CA = Reason("UNKNOWN_CA", A.UNKNOWN_CA,
    "The peer's certificate chain does not lead to an authority that we trust", "RFC 5280 §6.1")
CERTIFICATE_KEY_UNUSABLE = Reason("CERTIFICATE_KEY_UNUSABLE", A.UNSUPPORTED_CERTIFICATE,
    "The key in the peer's certificate does not fit the cipher suite", "RFC 5246 §7.4.2")
CERTIFICATE_CURVE_NOT_OFFERED = Reason("CERTIFICATE_CURVE_NOT_OFFERED", A.ILLEGAL_PARAMETER,
    "The key in the server's certificate is on a curve that we did not offer", "RFC 8422 §5.3")
ACCESS_DENIED = Reason("ACCESS_DENIED", A.ACCESS_DENIED,
    "The peer's certificate is valid, but it may not come in", "RFC 8446 §6.2")

# What extensions negotiate
UNRECOGNIZED_NAME = Reason("UNRECOGNIZED_NAME", A.UNRECOGNIZED_NAME,
    "The client asked for a server name that is not served here", "RFC 6066 §3")
ILLEGAL_SERVER_NAME = Reason("ILLEGAL_SERVER_NAME", A.ILLEGAL_PARAMETER,
    "The client's server name is not one that may stand there", "RFC 6066 §3")
NO_APPLICATION_PROTOCOL = Reason("NO_APPLICATION_PROTOCOL", A.NO_APPLICATION_PROTOCOL,
    "The client offers no application protocol that is spoken here", "RFC 7301 §3.2")
ILLEGAL_APPLICATION_PROTOCOL = Reason("ILLEGAL_APPLICATION_PROTOCOL", A.ILLEGAL_PARAMETER,
    "The server chose an application protocol that we did not offer", "RFC 7301 §3.1")
ILLEGAL_RECORD_SIZE_LIMIT = Reason("ILLEGAL_RECORD_SIZE_LIMIT", A.ILLEGAL_PARAMETER,
    "The peer asked for a record_size_limit that is not allowed", "RFC 8449 §4")
ILLEGAL_MAX_FRAGMENT_LENGTH = Reason("ILLEGAL_MAX_FRAGMENT_LENGTH", A.ILLEGAL_PARAMETER,
    "The peer's max_fragment_length is not one of the four, or not the one asked for", "RFC 6066 §4")
TWO_RECORD_LIMITS = Reason("TWO_RECORD_LIMITS", A.ILLEGAL_PARAMETER,
    "The server answered both record_size_limit and max_fragment_length", "RFC 8449 §5")
ILLEGAL_ENCRYPT_THEN_MAC = Reason("ILLEGAL_ENCRYPT_THEN_MAC", A.ILLEGAL_PARAMETER,
    "The server agreed to encrypt-then-MAC with a suite that has no CBC cipher", "RFC 7366 §3")
MISSING_EXTENDED_MASTER_SECRET = Reason("MISSING_EXTENDED_MASTER_SECRET", A.HANDSHAKE_FAILURE,
    "The peer does not use the extended master secret, which is required here", "RFC 7627 §5.2")
EXTENDED_MASTER_SECRET_CHANGED = Reason("EXTENDED_MASTER_SECRET_CHANGED", A.HANDSHAKE_FAILURE,
    "The resumed session and this handshake differ in the use of the extended master secret",
    "RFC 7627 §5.3")
EXTENDED_MASTER_SECRET_DROPPED = Reason("EXTENDED_MASTER_SECRET_DROPPED", A.HANDSHAKE_FAILURE,
    "The peer renegotiates without the extended master secret that the handshake before had", "RFC 7627 §1")
ILLEGAL_KEY_UPDATE = Reason("ILLEGAL_KEY_UPDATE", A.ILLEGAL_PARAMETER,
    "The peer's KeyUpdate asks for something that does not exist", "RFC 8446 §4.6.3")

# Renegotiation, up to TLS 1.2
RENEGOTIATION_REFUSED = Reason("RENEGOTIATION_REFUSED", A.NO_RENEGOTIATION,
    "Renegotiation is wanted, and it is not enabled here", "RFC 5246 §7.2.2")
RENEGOTIATION_DECLINED = Reason("RENEGOTIATION_DECLINED", A.HANDSHAKE_FAILURE,
    "The peer does not want to renegotiate", "RFC 5246 §7.2.2")
RENEGOTIATION_INSECURE = Reason("RENEGOTIATION_INSECURE", A.HANDSHAKE_FAILURE,
    "The peer does not support secure renegotiation", "RFC 5746 §4.1")
RENEGOTIATION_MISMATCH = Reason("RENEGOTIATION_MISMATCH", A.HANDSHAKE_FAILURE,
    "The peer's renegotiation_info does not belong to this connection", "RFC 5746 §3.4")
RENEGOTIATION_INFO_MISSING = Reason("RENEGOTIATION_INFO_MISSING", A.HANDSHAKE_FAILURE,
    "The peer renegotiates without renegotiation_info", "RFC 5746 §3.5")
RENEGOTIATION_SCSV = Reason("RENEGOTIATION_SCSV", A.HANDSHAKE_FAILURE,
    "The client renegotiates with the signal that is meant for the first handshake", "RFC 5746 §3.7")
ENCRYPT_THEN_MAC_DROPPED = Reason("ENCRYPT_THEN_MAC_DROPPED", A.HANDSHAKE_FAILURE,
    "The peer renegotiated from encrypt-then-MAC back to MAC-then-encrypt", "RFC 7366 §3.1")
RENEGOTIATION_CERTIFICATE_CHANGED = Reason("RENEGOTIATION_CERTIFICATE_CHANGED", A.ILLEGAL_PARAMETER,
    "The server showed another certificate when it renegotiated", "RFC 7627 §1")

# On our side
INTERNAL_ERROR = Reason("INTERNAL_ERROR", A.INTERNAL_ERROR,
    "Something went wrong on our side", "RFC 8446 §6.2")
MISSING_ALGORITHM = Reason("MISSING_ALGORITHM", A.INTERNAL_ERROR,
    "The installed cryptography library lacks an algorithm that is needed", "RFC 8446 §6.2")
CANCELED = Reason("CANCELED", A.USER_CANCELED,
    "The handshake was called off on our side", "RFC 8446 §6.1")
CONNECTION_OVER = Reason("CONNECTION_OVER", A.CLOSE_NOTIFY,
    "The connection is over; nothing can be sent or received any more", "RFC 8446 §6.1")
