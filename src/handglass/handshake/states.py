"""The states of the engine as a table for people: `python -m handglass.handshake.states` writes docs/states.md.

A state is a named wait. The conversations define their waits beside the code that waits, so the table is collected
from the modules and cannot lag behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from handglass.handshake.wants import Expectation, ExpectChangeCipherSpec
from handglass.registry.code_points import HandshakeType

MODULES = {
    "handshake.client": "client, before the version is settled",
    "handshake.tls13.client": "client, TLS 1.3",
    "handshake.server": "server, before the version is settled",
    "handshake.tls13.server": "server, TLS 1.3",
    "handshake.tls13.authentication": "both, TLS 1.3",
    "handshake.tls13.connected": "both, TLS 1.3, after the handshake",
    "handshake.legacy.client": "client, TLS 1.2",
    "handshake.legacy.status": "client, TLS 1.2",
    "handshake.legacy.server": "server, TLS 1.2",
    "handshake.legacy.common": "both, TLS 1.2",
}
"""The modules that define waits, in the order of the table, and whose they are."""

HEAD = """\
# The states of the engine

Each row is a wait of a conversation, under the name by which `-state`, events and errors call it. Any other
message than those named gets the alert `unexpected_message`; only a wait marked optional passes a message that it
does not know on to the next one. Below TLS 1.3 a client passes over HelloRequest during a handshake (RFC 5246
§7.4.1.1). While a question is deferred the state is `wait for` and the name of the question, and nothing is read.

Made from the code by `python -m handglass.handshake.states`.

| whose | state | takes | optional | where |
| --- | --- | --- | --- | --- |
"""


def states() -> Iterator[tuple[str, Expectation | ExpectChangeCipherSpec]]:  # type: ignore[type-arg]  # of any message
    """Yield each wait with the name of the module that defines it."""
    for name in MODULES:
        for wait in _waits(import_module(f"handglass.{name}")):
            yield name, wait


def _waits(module: ModuleType) -> Iterator[Expectation | ExpectChangeCipherSpec]:  # type: ignore[type-arg]  # as above
    for value in vars(module).values():
        for each in value.values() if isinstance(value, dict) else (value,):
            if isinstance(each, Expectation | ExpectChangeCipherSpec):
                yield each


def state_table() -> str:
    """Give the whole document."""
    rows = []
    for module, wait in states():
        taken, optional = "ChangeCipherSpec", ""
        if isinstance(wait, Expectation):
            taken = ", ".join(HandshakeType(kind).name for kind in wait.by_type)
            optional = "yes" if wait.optional else ""
        rows.append(f"| {MODULES[module]} | {wait.state} | {taken} | {optional} | `{module}` |\n")
    return HEAD + "".join(dict.fromkeys(rows))


if __name__ == "__main__":
    print(state_table(), end="")
