"""Where votes come in that were cast elsewhere: `POST /callbacks/NAME`, signed by the channel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from guardrails.approvals.channels.callback import BODY_MAX
from guardrails.server.security import read_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from guardrails.approvals.channels.callback import Callbacks


def callback_route(callbacks: Callbacks) -> Route:
    """The route of callbacks. No cookie counts there: the signature of the message does."""
    return Route("/callbacks/{name:str}", partial(_answer, callbacks), methods=["POST"])


async def _answer(callbacks: Callbacks, request: Request) -> Response:
    body = await read_body(request, BODY_MAX)
    name = request.path_params["name"]
    answer = await run_in_threadpool(callbacks.answer, name, request.headers, body)
    return JSONResponse(answer.body, answer.status)
