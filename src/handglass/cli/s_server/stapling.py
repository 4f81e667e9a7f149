"""-status and its kin: the settings get a question for the stapled responses, and the responders are asked at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handglass.cli.s_server.certificates import with_certificates
from handglass.records import replace

if TYPE_CHECKING:
    from handglass.cli.options.s_server import SServerOptions
    from handglass.cli.own_certificates.stapling import Stapling, StatusOptions
    from handglass.cli.s_server.settings import Settings


def begin_stapling(settings: Settings, tell: Callable[[str], None]) -> Stapling | None:
    """Let the settings staple responses, if that was asked for. `tell` gets lines for standard error."""
    if not settings.options.status:
        return None
    from handglass.cli.own_certificates.stapling import Stapling  # noqa: PLC0415 - only for who staples

    stapling = Stapling(status_options(settings.options), settings.stores.issuers(), tell)
    config = replace(settings.config, staple=stapling.responses)
    settings.config = with_certificates(config, settings.certificates, settings.options)
    stapling.prepare(settings.certificates.all)
    return stapling


def status_options(options: SServerOptions) -> StatusOptions:
    """Return what the options say."""
    from handglass.cli.own_certificates.stapling import StatusOptions  # noqa: PLC0415 - only for who staples

    files = options.all(type(options).status_file)
    return StatusOptions(
        verbose=options.status_verbose,
        seconds=max(0, options.status_timeout or 0) or None,
        url=options.status_url,
        files=files if options.status_all else files[-1:],
        all_certificates=options.status_all,
        proxy=options.proxy,
        no_proxy=options.no_proxy,
    )
