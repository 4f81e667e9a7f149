"""The running hash of the handshake."""

from __future__ import annotations

import hashlib

import pytest

from handglass.keys.transcript import Transcript


def test_messages_before_the_choice_count() -> None:
    transcript = Transcript()
    transcript.add(b"one")
    with pytest.raises(ValueError, match="not been chosen"):
        transcript.digest()
    assert transcript.messages == b"one"
    transcript.choose("sha256")
    transcript.add(b"two")
    assert transcript.digest() == hashlib.sha256(b"onetwo").digest()
    assert transcript.digest_with(b"three") == hashlib.sha256(b"onetwothree").digest()
    assert transcript.digest() == hashlib.sha256(b"onetwo").digest()
    with pytest.raises(ValueError, match="kept only the hash"):
        _ = transcript.messages


def test_a_second_choice_must_be_the_same() -> None:
    transcript = Transcript()
    transcript.choose("sha384")
    transcript.choose("sha384")
    with pytest.raises(ValueError, match="already uses sha384"):
        transcript.choose("sha256")


def test_keeping_the_messages() -> None:
    transcript = Transcript(keep=True)
    transcript.add(b"a")
    transcript.choose("sha256")
    transcript.add(b"b")
    assert transcript.messages == b"ab"
    transcript.stop_keeping()
    transcript.add(b"c")
    with pytest.raises(ValueError, match="kept only the hash"):
        _ = transcript.messages
    assert transcript.digest() == hashlib.sha256(b"abc").digest()


def test_message_hash_replaces_the_first_hello() -> None:
    """RFC 8446 §4.4.1."""
    transcript = Transcript()
    transcript.add(b"hello one")
    transcript.choose("sha256")
    transcript.replace_with_message_hash()
    transcript.add(b"retry")
    synthetic = b"\xfe\x00\x00\x20" + hashlib.sha256(b"hello one").digest()
    assert transcript.digest() == hashlib.sha256(synthetic + b"retry").digest()


def test_message_hash_in_a_kept_transcript() -> None:
    transcript = Transcript(keep=True)
    transcript.add(b"hello one")
    transcript.choose("sha384")
    transcript.replace_with_message_hash()
    transcript.add(b"retry")
    assert transcript.messages == b"\xfe\x00\x00\x30" + hashlib.sha384(b"hello one").digest() + b"retry"


def test_md5_and_sha1_together() -> None:
    transcript = Transcript()
    transcript.add(b"a")
    transcript.choose("md5-sha1")
    transcript.add(b"b")
    assert transcript.digest() == hashlib.md5(b"ab").digest() + hashlib.sha1(b"ab").digest()
    assert transcript.digest_with(b"c") == hashlib.md5(b"abc").digest() + hashlib.sha1(b"abc").digest()


def test_a_fork_goes_its_own_way() -> None:
    transcript = Transcript()
    transcript.choose("sha256")
    transcript.add(b"a")
    fork = transcript.fork()
    fork.add(b"b")
    assert transcript.digest() == hashlib.sha256(b"a").digest()
    assert fork.digest() == hashlib.sha256(b"ab").digest()
