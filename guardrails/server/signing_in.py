"""The pages of signing in by name and password, and of signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from guardrails.approvals.sign_in import sign_in
from guardrails.errors import ApprovalsUnavailable, SignInRefused
from guardrails.server.security import local_path

if TYPE_CHECKING:
    from starlette.responses import Response

    from guardrails.approvals.people import Account
    from guardrails.server.inbox import Visit

_LOGIN_MAX, _PASSWORD_MAX = 320, 1024  # an address of mail (RFC 3696), and no document to hash


def show_sign_in(visit: Visit) -> Response:
    """The form, or the inbox where somebody is signed in already."""
    wanted = local_path(visit.request.query_params.get("next", "/"))
    if visit.account is not None:
        return RedirectResponse(wanted, 303)
    return _show_form(visit, wanted)


def take_sign_in(visit: Visit) -> Response:
    """The page that was wanted, signed in, or the form again with one answer for all that fails."""
    wanted = local_path(visit.form.get("next", "/"))
    login, password = visit.form.get("login", ""), visit.form.get("password", "")
    wait = visit.inbox.addresses.wait_s(visit.address)
    if wait:
        told = f"Too many attempts from your address. Try again in {int(wait // 60) + 1} min."
        response = _show_form(visit, wanted, login, told, 429)
        response.headers["Retry-After"] = str(int(wait) + 1)
        return response
    try:
        account = _check(visit, login, password)
    except SignInRefused as refusal:
        text = str(refusal)
        status = 429 if "too many" in text else 401
        return _show_form(visit, wanted, login, f"{text[0].upper()}{text[1:]}.", status)
    return begin(visit, account, RedirectResponse(wanted, 303))


def begin(visit: Visit, account: Account, response: Response) -> Response:
    """The response, with a new sign-in of `account`; one that was there before is over."""
    inbox = visit.inbox
    inbox.sign_ins.end(visit.request.cookies.get(inbox.session_cookie, ""))
    inbox.set_cookie(response, inbox.session_cookie, inbox.sign_ins.begin(account))
    return response


def take_sign_out(visit: Visit) -> Response:
    """The sign-in page, signed out."""
    inbox = visit.inbox
    inbox.sign_ins.end(visit.request.cookies.get(inbox.session_cookie, ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(inbox.session_cookie, path="/", secure=inbox.settings.is_secure)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _check(visit: Visit, login: str, password: str) -> Account:
    inbox = visit.inbox
    if len(login) > _LOGIN_MAX or len(password) > _PASSWORD_MAX:
        raise SignInRefused("the name or the password is wrong, or the account can't sign in")
    try:
        return sign_in(inbox.service.people(), login, password, inbox.attempts)
    except OSError as error:
        raise ApprovalsUnavailable("attempts to sign in can't be counted") from error


def _show_form(
    visit: Visit, wanted: str, login: str = "", fault: str = "", status: int = 200
) -> Response:
    provider = visit.inbox.settings.oidc
    return visit.render(
        "sign_in.html",
        status,
        wanted=wanted,
        login=login,
        fault=fault,
        provider="" if provider is None else provider.name,
        empty=not visit.inbox.service.people().accounts,
    )
