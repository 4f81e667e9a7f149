"""The traces of RFC 8448, read from `vectors/rfc8448`: the values that the document states, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from handglass.records import dataclass

HERE = Path(__file__).parent.parent / "vectors" / "rfc8448"

TRACES = {
    3: "simple_1rtt",
    4: "resumed_0rtt",
    5: "hello_retry_request",
    6: "client_authentication",
    7: "compatibility_mode",
}
"""The traces by their section."""


@dataclass(frozen=True)
class Step:
    """One step of one side ("client" or "server"), and the values that are stated for it."""

    role: str
    what: str
    values: dict[str, bytes]


@dataclass(frozen=True)
class Trace:
    """One section of the document: its steps in their order."""

    section: int
    steps: tuple[Step, ...]

    def find(self, role: str, what: str) -> list[Step]:
        """The steps of one side whose description begins with this."""
        return [step for step in self.steps if step.role == role and step.what.startswith(what)]

    def value(self, role: str, what: str, name: str, index: int = 0) -> bytes:
        """One stated value; `index` counts the steps that are described alike."""
        return self.find(role, what)[index].values[name]

    def message(self, role: str, name: str, index: int = 0) -> bytes:
        """A whole handshake message as it was sent: with its binders, if it has any."""
        found = [step.values[name] for step in self.find(role, "construct") if name in step.values]
        raw = found[index]
        if len(raw) < 4 + int.from_bytes(raw[1:4], "big"):
            raw = self.value(role, "send handshake record", "payload")
        return raw

    def messages(self) -> Iterator[tuple[str, bytes]]:
        """All handshake messages with who sent them, in order."""
        counts: Counter[tuple[str, str]] = Counter()
        for step in self.steps:
            if step.what.startswith("construct"):
                for name in step.values:
                    yield step.role, self.message(step.role, name, counts[step.role, name])
                    counts[step.role, name] += 1

    def sent(self) -> Iterator[Step]:
        """The steps in which a record is sent."""
        return (step for step in self.steps if "complete record" in step.values)

    def records(self, role: str) -> list[bytes]:
        """All records that one side sent."""
        return [step.values["complete record"] for step in self.sent() if step.role == role]

    def secret(self, label: bytes) -> bytes | None:
        """The secret that is derived with this label ("tls13 " left out), if the trace has it."""
        for step in self.steps:
            if step.what == f'derive secret "tls13 {label.decode()}"':
                return step.values["expanded"]
        return None


@cache
def trace(section: int) -> Trace:
    """The trace of a section."""
    steps: list[Step] = []
    for line in (HERE / f"{TRACES[section]}.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("{"):
            role, _, what = line[1:].partition("} ")
            steps.append(Step(role, what, {}))
        elif line:
            name, _, value = line.strip().partition(": ")
            steps[-1].values[name] = bytes.fromhex(value)
    return Trace(section, tuple(steps))


@cache
def rsa_numbers() -> dict[str, int]:
    """The RSA key of section 2, by the names that the document uses."""
    lines = (HERE / "rsa_key.txt").read_text(encoding="ascii").splitlines()
    pairs = (line.split(": ") for line in lines)
    return {name: int(value, 16) for name, value in pairs}
