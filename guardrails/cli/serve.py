"""`guardrails serve`: the inbox in a browser, where people decide."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from guardrails.language.settings_file import Table


@click.command()
@click.option(
    "--store",
    metavar="FOLDER|URL",
    default=".guardrails",
    envvar="GUARDRAILS_STATE",
    show_default=True,
    show_envvar=True,
    help="Where approvals are kept, as the guards have it.",
)
@click.option("--listen", metavar="ADDRESS", help="The address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port. [default: 8642]")
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="A host name under which people reach it; no other is answered.",
)
@click.option("--tls-cert", metavar="FILE", help="The certificate, with its chain, in PEM.")
@click.option("--tls-key", metavar="FILE", help="The key of the certificate.")
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="A proxy in front speaks TLS to browsers, so plain HTTP may be listened for.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The settings, in the table `[server]`. [default: the nearest guardrails.toml]",
)
def serve(
    store: str,
    listen: str | None,
    port: int | None,
    names: tuple[str, ...],
    tls_cert: str | None,
    tls_key: str | None,
    behind_proxy: bool,  # noqa: FBT001 - Click's signature
    config: Path | None,
) -> None:
    """Serve the inbox in which approvers see what agents ask for, and decide.

    It listens on this machine alone unless told otherwise, and wider only with TLS. Accounts are
    made by `guardrails approvers add`. Ctrl-C ends it; what is pending is kept.

    \b
    Example:
      guardrails serve
      guardrails serve --listen 0.0.0.0 --name inbox.example.com --tls-cert c.pem --tls-key k.pem

    Exit codes: 0 ended by a signal, 2 usage error.
    """
    from guardrails.language.settings_file import find_settings, read_settings

    table = read_settings(config or find_settings(Path.cwd()))
    given = {"listen": listen, "port": port, "names": names, "behind_proxy": behind_proxy}
    _serve(store, table, {**given, "tls_cert": tls_cert, "tls_key": tls_key})


def _serve(store: str, table: Table, given: dict[str, Any]) -> None:
    from guardrails.approvals.channels.callback import Callbacks
    from guardrails.approvals.channels.courier import Courier
    from guardrails.approvals.channels.settings import read_channels
    from guardrails.approvals.places import locate, open_service
    from guardrails.approvals.sign_in import Attempts
    from guardrails.errors import ConfigurationError

    try:
        from guardrails.server.app import make_app
        from guardrails.server.callbacks import callback_route
        from guardrails.server.run import serve as run
        from guardrails.server.settings import read_server_settings
    except ModuleNotFoundError:
        msg = "the inbox needs its extra: pip install 'policy-guardrails[server]'"
        raise ConfigurationError(msg) from None
    settings = read_server_settings(table.table("server"), **given)
    found = read_channels(table.table("approvals"), os.environ, settings.address)
    service = open_service(store)
    routes = [callback_route(Callbacks(service, found.endpoints))] if found.endpoints else []
    courier = Courier(service.store, found.channels) if found.channels else None
    app = make_app(service, settings, Attempts(locate(store).attempts), routes, courier)
    told = f"the inbox is at {settings.address}; Ctrl-C ends it"
    run(app, settings, lambda: click.echo(told, err=True))
