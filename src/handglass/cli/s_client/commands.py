"""What can be typed to s_client itself instead of to the server: the letters, and the words in braces of -adv."""

from __future__ import annotations

from enum import Enum


class Command(Enum):
    """Something that the program is told to do with the connection."""

    QUIT = "close the connection and end"
    RENEGOTIATE = "renegotiate (TLS 1.2 and below)"
    UPDATE_KEYS = "send a KeyUpdate (TLS 1.3)"
    UPDATE_BOTH_KEYS = "send a KeyUpdate and ask the server for one (TLS 1.3)"
    HEARTBEAT = "send a heartbeat request (needs -heartbeat)"
    RECONNECT = "close the connection, connect again and resume the session"
    FINISH_STREAM = "finish the stream (QUIC only)"
    HELP = "print this list"


LETTERS = {
    b"Q": Command.QUIT,
    b"R": Command.RENEGOTIATE,
    b"k": Command.UPDATE_KEYS,
    b"K": Command.UPDATE_BOTH_KEYS,
    b"B": Command.HEARTBEAT,
    b"C": Command.RECONNECT,
}

WORDS = {
    b"help": Command.HELP,
    b"quit": Command.QUIT,
    b"reconnect": Command.RECONNECT,
    b"reneg": Command.RENEGOTIATE,
    b"keyup": Command.UPDATE_BOTH_KEYS,
    b"keyup:req": Command.UPDATE_BOTH_KEYS,
    b"keyup:noreq": Command.UPDATE_KEYS,
    b"heartbeat": Command.HEARTBEAT,
    b"fin": Command.FINISH_STREAM,
}


def help_lines() -> list[str]:
    """What {help} prints."""
    lines = ["Commands, anywhere in the input; {{ sends a brace:"]
    lines += [f"  {f'{{{word.decode()}}}':<15}{command.value}" for word, command in WORDS.items()]
    return lines
