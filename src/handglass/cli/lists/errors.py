"""The complaint about a list that cannot be followed."""

from __future__ import annotations


class ListError(ValueError):
    """A list that an option does not take.

    reason: OpenSSL's words for it ("no cipher match"); detail: what in the list is wrong, or "".
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    def complaint(self, option: str, text: str) -> str:
        """Return what to print for option `-option` with this argument.

        First OpenSSL's line, then that of its older versions, by which scanners find out what a client can do.
        """
        lines = (
            f"Call to SSL_CONF_cmd(-{option}, {text}) failed",
            f'Error with command: "-{option} {text}"',
            str(self),
        )
        return "\n".join(lines)
