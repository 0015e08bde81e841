"""The inbox as an ASGI application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from guardrails.errors import ApprovalsUnavailable, RequestUnknown
from guardrails.server.history import show_figures, show_history
from guardrails.server.inbox import Inbox, for_anyone, for_approvers
from guardrails.server.live import Live, stream_changes
from guardrails.server.oidc import Provider
from guardrails.server.oidc_pages import BACK, come_back, go_to_provider
from guardrails.server.pages import show_inbox, show_request, take_vote
from guardrails.server.security import Protection
from guardrails.server.signing_in import show_sign_in, take_sign_in, take_sign_out

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from guardrails.approvals.channels.courier import Courier
    from guardrails.approvals.service import ApprovalService
    from guardrails.approvals.sign_in import Attempts
    from guardrails.server.settings import ServerSettings

_FILES = Path(__file__).with_name("static")

_FAULTS = {
    403: (
        "That form was not this page's",
        "It may have been open for long. Nothing was recorded: go back, reload, and try again.",
    ),
    404: ("There is no such page", "It may have moved; the inbox has what is open."),
    405: ("That can't be done here", "Go back to the inbox and try from there."),
    408: ("That took too long to arrive", "Nothing was recorded: try again."),
    413: ("That is too long", "Nothing was recorded: shorten it and try again."),
}


def make_app(
    service: ApprovalService,
    settings: ServerSettings,
    attempts: Attempts,
    routes: Sequence[BaseRoute] = (),
    courier: Courier | None = None,
) -> Starlette:
    """The inbox of a service; `courier` delivers to channels as long as it is served.

    `routes` are further ones, such as that of callbacks: they get the check of the host and the
    headers; who calls them is theirs to tell.
    """
    inbox = Inbox(service, settings, attempts)
    live = Live(service.store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        live.start()
        if courier is not None:
            courier.start()
        try:
            yield
        finally:
            live.close()
            if courier is not None:
                await run_in_threadpool(courier.close)

    app = _Application(
        settings,
        routes=[*_routes(inbox, live), *routes],
        lifespan=lifespan,
        exception_handlers={
            ApprovalsUnavailable: partial(_show_outage, inbox),
            RequestUnknown: partial(_show_unknown, inbox),
            HTTPException: partial(_show_fault, inbox),
            Exception: partial(_show_crash, inbox),
        },
    )
    app.state.live, app.state.inbox = live, inbox
    return app


class _Application(Starlette):
    """An application every answer of which is protected, that to a fault of its own too."""

    def __init__(self, settings: ServerSettings, **parts: Any) -> None:
        self._settings = settings
        super().__init__(**parts)

    def build_middleware_stack(self) -> ASGIApp:
        """The application as it is called."""
        names, secure = self._settings.host_names, self._settings.is_secure
        return Protection(super().build_middleware_stack(), names, secure=secure)


def _routes(inbox: Inbox, live: Live) -> list[BaseRoute]:
    return [
        for_approvers(inbox, "/", show_inbox),
        for_approvers(inbox, "/requests/{id:str}", show_request),
        for_approvers(inbox, "/requests/{id:str}", take_vote, "POST"),
        for_approvers(inbox, "/history", show_history),
        for_approvers(inbox, "/figures", show_figures),
        for_anyone(inbox, "/sign-in", show_sign_in),
        for_anyone(inbox, "/sign-in", take_sign_in, "POST", inbox.hashing),
        for_approvers(inbox, "/sign-out", take_sign_out, "POST"),
        *_provider_routes(inbox),
        Route("/events", partial(stream_changes, inbox, live)),
        Route("/healthy", partial(_tell_health, inbox)),
        Mount("/static", _Static(directory=_FILES)),
    ]


def _provider_routes(inbox: Inbox) -> list[BaseRoute]:
    if inbox.settings.oidc is None:
        return []
    provider = Provider(inbox.settings.oidc, inbox.stamps)
    there, back = partial(go_to_provider, provider=provider), partial(come_back, provider=provider)
    return [
        for_anyone(inbox, "/sign-in/provider", there, threads=inbox.asking),
        for_anyone(inbox, BACK, back, threads=inbox.asking),
    ]


class _Static(StaticFiles):
    """The stylesheet and its like, which a browser may keep but asks about."""

    def file_response(self, *given: object, **named: object) -> Response:
        """The file, to be asked about again each time."""
        response = super().file_response(*given, **named)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def _tell_health(inbox: Inbox, _: Request) -> Response:
    """Whether votes can be taken now, for whatever looks after the server."""
    try:
        inbox.service.store.now_ns()
        inbox.service.people()
    except ApprovalsUnavailable:
        return PlainTextResponse("the store or the approvers can't be read\n", 503)
    return PlainTextResponse("ok\n")


def _show_outage(inbox: Inbox, request: Request, _: Exception) -> Response:
    """That the store is away; the page asks again by itself, unless a form was sent."""
    response = inbox.render("outage.html", 503, asked=request.method != "POST")
    response.headers["Retry-After"] = "5"
    return response


def _show_unknown(inbox: Inbox, _: Request, __: Exception) -> Response:
    told = "Nobody asked under this id, or it was in another store."
    return inbox.render("fault.html", 404, title="There is no such request", told=told)


def _show_fault(inbox: Inbox, _: Request, fault: Exception) -> Response:
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    title, told = _FAULTS.get(status, ("That can't be done", "Nothing was recorded."))
    response = inbox.render("fault.html", status, title=title, told=told)
    response.headers.update((isinstance(fault, HTTPException) and fault.headers) or {})
    return response


def _show_crash(inbox: Inbox, _: Request, __: Exception) -> Response:
    told = "A fault in the inbox itself; its log on the server says which."
    return inbox.render("fault.html", 500, title="That went wrong", told=told)
