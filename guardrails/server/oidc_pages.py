"""The two pages of signing in at a provider: to it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from guardrails.errors import SignInRefused
from guardrails.server.oidc import LASTS_S
from guardrails.server.security import local_path
from guardrails.server.signing_in import begin

if TYPE_CHECKING:
    from starlette.responses import Response

    from guardrails.approvals.people import Account, People
    from guardrails.server.inbox import Visit
    from guardrails.server.oidc import Provider

BACK = "/sign-in/provider/back"


def go_to_provider(visit: Visit, provider: Provider) -> Response:
    """On to the provider, with a cookie that knows the way back."""
    wanted = local_path(visit.request.query_params.get("next", "/"))
    try:
        address, cookie = provider.begin(_back(visit), wanted)
    except SignInRefused as refusal:
        return _refuse(visit, refusal)
    response = RedirectResponse(address, 303)
    # Lax: the browser comes back from another site. It holds nothing that signs anybody in.
    visit.inbox.set_cookie(response, _cookie(visit), cookie, max_age=LASTS_S, samesite="lax")
    return response


def come_back(visit: Visit, provider: Provider) -> Response:
    """Signed in as the account that the provider names, and on to the page that was wanted."""
    people = visit.inbox.service.people()
    cookie = visit.request.cookies.get(_cookie(visit), "")
    try:
        name, wanted = provider.finish(cookie, visit.request.query_params, _back(visit))
        account = _find_account(people, name)
    except SignInRefused as refusal:
        response = _refuse(visit, refusal)
    else:
        # A page, not a redirect: a strict cookie goes with what the inbox's own pages ask for.
        response = begin(visit, account, visit.render("onward.html", to=local_path(wanted)))
    response.delete_cookie(_cookie(visit), path="/", secure=visit.inbox.settings.is_secure)
    return response


def _find_account(people: People, name: str) -> Account:
    account = people.find(name)
    if account is None or account.disabled:
        raise SignInRefused("you are known there, but not as an approver here")
    return account


def _refuse(visit: Visit, refusal: SignInRefused) -> Response:
    return visit.render("refused.html", 401, why=str(refusal))


def _cookie(visit: Visit) -> str:
    return f"{visit.inbox.form_cookie}-provider"


def _back(visit: Visit) -> str:
    """Where the provider is to send the browser: here, by the name it was reached under."""
    scheme = "https" if visit.inbox.settings.is_secure else "http"
    return f"{scheme}://{visit.request.headers['host']}{BACK}"
