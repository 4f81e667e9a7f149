"""The hash of the handshake so far (RFC 8446 §4.4.1, RFC 5246 §7.4.9).

The hash is known only after ServerHello, so messages are kept until it is chosen. They can also
be kept after that (`keep=True`): a TLS 1.2 CertificateVerify signs the messages themselves, with
a hash that need not be the transcript's (RFC 5246 §7.4.8).
"""

from __future__ import annotations

from handglass.crypto.hashes import HASHES, HashObject

_MESSAGE_HASH = 254  # RFC 8446 §4: HandshakeType message_hash


class Transcript:
    """Handshake messages, each with its 4-byte header, and their running hash.

    Before `choose`, everything that needs the hash raises ValueError.
    """

    __slots__ = ("_hash", "_keep", "_messages", "hash_name")

    def __init__(self, *, keep: bool = False) -> None:
        self.hash_name: str | None = None
        self._hash: HashObject | None = None
        self._messages: list[bytes] = []
        self._keep = keep

    def add(self, message: bytes) -> None:
        """Take in one whole handshake message."""
        if self._hash is not None:
            self._hash.update(message)
        if self._hash is None or self._keep:
            self._messages.append(message)

    def choose(self, hash_name: str) -> None:
        """Start hashing, with what came before. A second choice must be the same hash."""
        if self._hash is not None:
            if hash_name != self.hash_name:
                raise ValueError(f"the transcript already uses {self.hash_name}, not {hash_name}")
            return
        self.hash_name = hash_name
        self._hash = HASHES[hash_name].new(b"".join(self._messages))
        if not self._keep:
            self._messages = []

    @property
    def messages(self) -> bytes:
        """All messages so far, one after another; ValueError if they were not kept."""
        if self._hash is not None and not self._keep:
            raise ValueError("this transcript kept only the hash of its messages")
        return b"".join(self._messages)

    def stop_keeping(self) -> None:
        """Let go of the messages: no CertificateVerify will sign them any more."""
        self._keep = False
        if self._hash is not None:
            self._messages = []

    def digest(self) -> bytes:
        """Give the hash of all messages so far."""
        return self._chosen().digest()

    def digest_with(self, extra: bytes) -> bytes:
        """Give the hash of all messages so far and `extra`, which is not taken in (PSK binders)."""
        running = self._chosen().copy()
        running.update(extra)
        return running.digest()

    def replace_with_message_hash(self) -> None:
        """Put the synthetic message_hash message in place of ClientHello1 (RFC 8446 §4.4.1)."""
        ended = self.digest()
        synthetic = bytes((_MESSAGE_HASH, 0, 0, len(ended))) + ended
        name = self.hash_name
        self._hash, self.hash_name, self._messages = None, None, [synthetic]
        if name is not None:
            self.choose(name)

    def fork(self) -> Transcript:
        """Give a second transcript in the same state, which goes its own way."""
        other = Transcript(keep=self._keep)
        other.hash_name = self.hash_name
        other._hash = self._hash.copy() if self._hash is not None else None
        other._messages = list(self._messages)
        return other

    def _chosen(self) -> HashObject:
        if self._hash is None:
            raise ValueError("the transcript's hash has not been chosen yet")
        return self._hash
