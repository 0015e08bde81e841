"""What the pages share: the service, who is signed in, and the templates."""

from __future__ import annotations

from functools import partial
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from guardrails.server.security import host_of, is_foreign, local_path, network_of, read_form
from guardrails.server.sign_ins import SignIns, Stamps, Throttle
from guardrails.server.values import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from guardrails.approvals.people import Account
    from guardrails.approvals.service import ApprovalService
    from guardrails.approvals.sign_in import Attempts
    from guardrails.server.settings import ServerSettings

    Handler = Callable[["Visit"], Response]

ADDRESS_ATTEMPTS, ADDRESS_WINDOW_S = 30, 300
"""How often one address may try to sign in: an office behind one address, and no dictionary."""

HASHED_AT_ONCE = 4
"""How many passwords are looked at at once: each takes 64 MiB, and a pause where it is wrong."""

ASKED_AT_ONCE = 8
"""How many visitors wait for the provider at once; as with passwords, in threads of their own, so
that neither keeps those who are signed in from deciding."""

_FORM_COOKIE_S = 24 * 3600


class Inbox:
    """One inbox: its service, its settings, the sign-ins that hold, and how its pages look."""

    def __init__(
        self, service: ApprovalService, settings: ServerSettings, attempts: Attempts
    ) -> None:
        self.service = service
        self.settings = settings
        self.attempts = attempts
        self.sign_ins = SignIns(settings.idle_s, settings.longest_s)
        self.addresses = Throttle(ADDRESS_ATTEMPTS, ADDRESS_WINDOW_S)
        self.stamps = Stamps()
        self.hashing, self.asking = CapacityLimiter(HASHED_AT_ONCE), CapacityLimiter(ASKED_AT_ONCE)
        self._templates = Environment(
            loader=PackageLoader("guardrails.server"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["mark"] = mark
        prefix = "__Host-" if settings.is_secure else ""
        self.session_cookie, self.form_cookie = f"{prefix}guardrails", f"{prefix}guardrails-form"

    def render(self, template: str, status: int = 200, **parts: Any) -> HTMLResponse:
        """The page of a template."""
        return HTMLResponse(self._templates.get_template(template).render(parts), status)

    def set_cookie(self, response: Response, name: str, value: str, **others: Any) -> None:
        """Give the browser a cookie that scripts can't read and other sites' pages don't send."""
        others = {"samesite": "strict", **others}
        response.set_cookie(
            name, value, path="/", httponly=True, secure=self.settings.is_secure, **others
        )


class Visit(NamedTuple):
    """One request to the inbox: who it is from (None: nobody signed in), and the form sent."""

    inbox: Inbox
    request: Request
    account: Account | None
    secret: str
    """What the tokens of this visitor's forms stand for: the value of a cookie."""
    form: Mapping[str, str]

    @property
    def voter(self) -> Account:
        """Who is signed in; for pages that only approvers see."""
        assert self.account is not None
        return self.account

    @property
    def path(self) -> str:
        """The path and the query that were asked for."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def address(self) -> str:
        """Where the request came from, as far as one visitor can't change it at will."""
        return network_of(self.request.client.host) if self.request.client else ""

    def render(self, template: str, status: int = 200, **parts: Any) -> HTMLResponse:
        """A page for this visitor, whose forms carry the visitor's token."""
        token = self.inbox.stamps.stamp("form", self.secret)
        host = host_of(self.request.headers.get("host", ""))
        path = self.request.url.path
        shared = {"account": self.account, "token": token, "path": path, "host": host}
        return self.inbox.render(template, status, **shared, **parts)


def for_anyone(
    inbox: Inbox,
    path: str,
    handler: Handler,
    method: str = "GET",
    threads: CapacityLimiter | None = None,
) -> Route:
    """The route of a page that needs no sign-in; `threads` are those it may take, of its own."""
    answer = partial(_answer, inbox, handler, open_=True, threads=threads)
    return Route(path, answer, methods=[method])


def for_approvers(inbox: Inbox, path: str, handler: Handler, method: str = "GET") -> Route:
    """The route of a page that needs one; without it the visitor is sent to sign in."""
    return Route(path, partial(_answer, inbox, handler, open_=False), methods=[method])


async def _answer(
    inbox: Inbox,
    handler: Handler,
    request: Request,
    *,
    open_: bool,
    threads: CapacityLimiter | None = None,
) -> Response:
    form = await read_form(request) if request.method == "POST" else {}
    handle = partial(_handle, inbox, handler, request, form, open_=open_)
    return await to_thread.run_sync(handle, limiter=threads)


def _handle(
    inbox: Inbox, handler: Handler, request: Request, form: Mapping[str, str], *, open_: bool
) -> Response:
    visit = identify(inbox, request, form)
    if visit.account is None and not open_:
        response = _send_to_sign_in(visit)
    else:
        if request.method == "POST":
            _check_form(visit)
        response = handler(visit)
    if visit.account is None and request.cookies.get(inbox.form_cookie) != visit.secret:
        inbox.set_cookie(response, inbox.form_cookie, visit.secret, max_age=_FORM_COOKIE_S)
    return response


def identify(inbox: Inbox, request: Request, form: Mapping[str, str]) -> Visit:
    """The visit of whoever the cookies say."""
    token = request.cookies.get(inbox.session_cookie, "")
    account = inbox.sign_ins.find(token, inbox.service.people()) if token else None
    if account is not None:
        return Visit(inbox, request, account, token, form)
    known = request.cookies.get(inbox.form_cookie, "")
    return Visit(inbox, request, None, known or token_urlsafe(32), form)


def _check_form(visit: Visit) -> None:
    """Refuse a form that this visitor's own page did not send."""
    given = visit.form.get("token", "")
    own = visit.inbox.stamps.holds("form", visit.secret, given)
    if is_foreign(visit.request) or not own:
        raise HTTPException(403, "form")


def _send_to_sign_in(visit: Visit) -> Response:
    asks = visit.request.method == "GET"
    wanted = visit.path if asks else visit.form.get("next", visit.request.url.path)
    if visit.request.headers.get("sec-fetch-site") == "cross-site":
        # Reached by a link in a message: the browser keeps a strict cookie back until this page,
        # which is the inbox's own, asks for the same again.
        return visit.render("onward.html", to=local_path(wanted))

    there = "" if wanted == "/" else f"?next={quote(local_path(wanted), safe='/')}"
    return RedirectResponse(f"/sign-in{there}", 303)
