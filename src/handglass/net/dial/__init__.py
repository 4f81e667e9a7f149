"""Getting there and being reached: targets, look-up, happy eyeballs, listening sockets."""

from handglass.net.dial.connect import (
    Attempt,
    AttemptOutcome,
    ConnectError,
    Dialled,
    DialOptions,
    dial,
)
from handglass.net.dial.listen import Listener, ListenOptions, open_listeners
from handglass.net.dial.lookup import Address, look_up
from handglass.net.dial.targets import (
    ListenTarget,
    Target,
    UnixTarget,
    check_host,
    check_port,
    parse_accept,
    parse_bind,
    parse_target,
)

__all__ = [
    "Address",
    "Attempt",
    "AttemptOutcome",
    "ConnectError",
    "DialOptions",
    "Dialled",
    "ListenOptions",
    "ListenTarget",
    "Listener",
    "Target",
    "UnixTarget",
    "check_host",
    "check_port",
    "dial",
    "look_up",
    "open_listeners",
    "parse_accept",
    "parse_bind",
    "parse_target",
]
