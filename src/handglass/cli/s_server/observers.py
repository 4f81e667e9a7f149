"""What looks at each connection: -state, -debug, -msg, -tlsextdebug and the key log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handglass.handshake.observer import Observer
from handglass.observe.extensions import ExtensionDump
from handglass.observe.keylog import KeyLog
from handglass.observe.messages import MessageDump
from handglass.observe.several import combined
from handglass.observe.states import StatePrinter
from handglass.observe.wire import WireDump

if TYPE_CHECKING:
    from handglass.cli.s_server.screen import ServerScreen
    from handglass.cli.s_server.settings import Settings


def observer_maker(settings: Settings, screen: ServerScreen) -> Callable[[], Observer | None]:
    """What makes the observer of each connection."""
    options, key_log = settings.options, settings.key_log
    if not any((options.state, options.debug, options.msg, options.tlsextdebug)) and key_log is None:
        return lambda: None
    file = settings.message_file
    messages = screen.out if file is None else screen.file(file.fileno())

    def make() -> Observer | None:
        found: list[Observer] = []
        if options.state:
            found.append(StatePrinter(screen.err, is_client=False))
        if options.debug:
            found.append(WireDump(screen.out))
        if options.msg:
            found.append(MessageDump(messages, max(settings.engine.versions)))
        if options.tlsextdebug:
            found.append(ExtensionDump(screen.out, "client"))
        if key_log is not None:
            found.append(KeyLog(key_log))
        return combined(found)

    return make
