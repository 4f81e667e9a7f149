"""What can be wrong with bytes or with values that should become bytes."""

from __future__ import annotations


class DecodeError(Exception):
    """Bytes that do not have the declared form.

    `path` names the field (`extensions[3].data`), `offset` is where it begins in the input, `problem` says
    in words what is wrong with it.
    """

    def __init__(self, path: str, offset: int, problem: str) -> None:
        super().__init__(path, offset, problem)
        self.path = path
        self.offset = offset
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path or 'message'} at byte {self.offset}: {self.problem}"


class EncodeError(Exception):
    """A value that its field cannot hold: a number too large, a vector too short or too long."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path or 'message'}: {self.problem}"
