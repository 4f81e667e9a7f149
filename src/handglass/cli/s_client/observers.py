"""What looks at a connection: -state, -debug, -msg, -tlsextdebug and the key log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from handglass.handshake.observer import Observer
from handglass.observe.extensions import ExtensionDump
from handglass.observe.keylog import KeyLog
from handglass.observe.messages import MessageDump
from handglass.observe.several import combined
from handglass.observe.states import StatePrinter

if TYPE_CHECKING:
    from handglass.cli.s_client.settings import Settings
    from handglass.cli.screen import Screen
    from handglass.observe.wire import WireDump


def observer(settings: Settings, screen: Screen, wire: WireDump | None) -> Observer | None:
    """The observer of one connection; None if nothing is to be seen. `wire` has shown what came before TLS."""
    options = settings.options
    found: list[Observer] = []
    if options.state:
        found.append(StatePrinter(sys.stderr, is_client=True))
    if wire is not None:
        found.append(wire)
    if options.msg:
        found.append(MessageDump(settings.message_file or screen.out, max(settings.config.versions)))
    if options.tlsextdebug and not (options.brief or options.quiet):
        found.append(ExtensionDump(screen.out, "server"))
    if settings.key_log is not None:
        found.append(KeyLog(settings.key_log))
    return combined(found)
