"""A small provider of OpenID Connect over real HTTP, which checks what it is sent."""

from __future__ import annotations

import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from contextlib import contextmanager
from hashlib import sha256
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

CLIENT, SECRET = "inbox", "s3cret/with:odd characters"


class Provider:
    """Signs in `person` without asking; `claims` are put over those of its tokens.

    `says` is put over what it says of itself, `answer` over what it sends the browser back with.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.person = "fay@example.com"
        self.claims: dict[str, Any] = {}
        self.says: dict[str, Any] = {}
        self.answer: dict[str, str | None] = {}
        self.header: dict[str, Any] = {}
        self.signs_with: Any = None
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.refused: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        routes = [
            Route("/.well-known/openid-configuration", self._describe),
            Route("/authorize", self._authorize),
            Route("/token", self._redeem, methods=["POST"]),
            Route("/keys", self._keys),
        ]
        self.app = Starlette(routes=routes)

    @contextmanager
    def serving(self) -> Iterator[Provider]:
        server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_level="error"))
        thread = Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        self.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.should_exit = True
            thread.join()

    def _describe(self, _: Request) -> Response:
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse({**known, **self.says})

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer, **self.answer}
        kept = {name: value for name, value in back.items() if value is not None}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(kept)}", 303)

    async def _redeem(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        asked = self._codes.pop(form.get("code", ""), None)
        refusal = self._examine(request, form, asked)
        if refusal or asked is None:
            self.refused.append(refusal)
            return JSONResponse({"error": refusal}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "email": self.person, "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "one", **self.header}
        token = jwt.encode(header, claims, self.signs_with or self.key, algorithms=[header["alg"]])
        return JSONResponse({"id_token": token, "access_token": "x", "token_type": "Bearer"})

    def _examine(self, request: Request, form: dict[str, str], asked: Any) -> str:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return "no client"
        if [unquote(part) for part in b64decode(given).decode().split(":", 1)] != [CLIENT, SECRET]:
            return "wrong client"
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return "no such code"
        digest = sha256(form["code_verifier"].encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return "wrong verifier"
        return ""

    def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})
