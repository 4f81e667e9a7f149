"""Lists of Certificate Transparency logs: OpenSSL's configuration file and the JSON list that browsers use.

Sources: CTLOG_STORE_new(3) and the comments of OpenSSL's ct_log_list.cnf; the JSON schema "log_list_schema
v3" that stands beside the list at https://www.gstatic.com/ct/log_list/v3/; RFC 6962 §3.2 for the log id.
"""

from __future__ import annotations

import base64
import hashlib
import json

from handglass.records import dataclass

__all__ = ["CtLog", "CtLogError", "read_logs"]

MAX_LOGS = 4096


class CtLogError(ValueError):
    """A log list cannot be used. The text is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class CtLog:
    """One log: name for people, key (SubjectPublicKeyInfo in DER), URL and state if the list has them."""

    description: str
    key: bytes
    url: str = ""
    state: str = ""

    @property
    def log_id(self) -> bytes:
        """The SHA-256 of the key, as timestamps name the log."""
        return hashlib.sha256(self.key).digest()


def read_logs(data: bytes) -> dict[bytes, CtLog]:
    """Return the logs of a list by their ids, whichever of the two forms it has. Raises `CtLogError`."""
    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    logs = _from_json(text) if text.lstrip().startswith("{") else _from_configuration(text)
    if len(logs) > MAX_LOGS:
        raise CtLogError(f"the log list has {len(logs)} logs, the limit is {MAX_LOGS}")
    return {log.log_id: log for log in logs}


def _from_json(text: str) -> list[CtLog]:
    try:
        document = json.loads(text)
        return [
            CtLog(
                str(entry.get("description", operator.get("name", ""))),
                base64.b64decode(entry["key"], validate=True),
                str(entry.get("url") or entry.get("submission_url") or ""),
                next(iter(entry.get("state") or {}), ""),
            )
            for operator in document["operators"]
            for entry in (*operator.get("logs", ()), *operator.get("tiled_logs", ()))
        ]
    except RecursionError:
        raise CtLogError("the log list is nested too deeply") from None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        name = type(problem).__name__
        raise CtLogError(f"the log list is not a JSON log list (version 3): {name}: {problem}") from None


def _from_configuration(text: str) -> list[CtLog]:
    """Read "enabled_logs = a, b" and a section with description and key for each."""
    sections: dict[str, dict[str, str]] = {"": {}}
    current = sections[""]
    for raw in text.replace("\\\n", "").splitlines():
        line = raw.partition("#")[0].strip()
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1].strip(), {})
        elif "=" in line:
            name, _, value = line.partition("=")
            current[name.strip()] = value.strip().strip("\"'")
    enabled = sections[""].get("enabled_logs")
    if enabled is None:
        raise CtLogError("log conf invalid: it has no line enabled_logs")
    return [_section(name.strip(), sections) for name in enabled.split(",") if name.strip()]


def _section(name: str, sections: dict[str, dict[str, str]]) -> CtLog:
    section = sections.get(name)
    if section is None:
        raise CtLogError(f"log conf invalid: it has no section [{name}]")
    for field in ("description", "key"):
        if field not in section:
            raise CtLogError(f"log conf missing {field}: section [{name}]")
    try:
        key = base64.b64decode(section["key"], validate=True)
    except ValueError:
        raise CtLogError(f"log conf invalid key: section [{name}]") from None
    return CtLog(section["description"], key)
