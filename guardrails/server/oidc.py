"""Signing in at a provider of OpenID Connect: the code flow, with PKCE, state and nonce.

OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE), RFC 9207 (issuer in the answer), RFC 9700
(the present best practice). The provider says who somebody is; that the account exists, and what
it may decide, is told by the file of approvers alone.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from guardrails.errors import SignInRefused
from guardrails.server.settings import is_protected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.server.settings import OidcSettings
    from guardrails.server.sign_ins import Stamps

LASTS_S = 600
"""Seconds that a sign-in at the provider may take."""

_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Signatures by a key that only the provider has; never `none`, never one by a shared secret."""

_SKEW_S = 60
_TIMEOUT_S = 10.0
_ANSWER_MAX = 1 << 20
_KNOWN_S = 3600.0  # for how long what the provider says of itself is believed
_PURPOSE = "oidc"
_DISCOVERY = "/.well-known/openid-configuration"


class Provider:
    """One provider, as its settings say."""

    def __init__(self, settings: OidcSettings, stamps: Stamps) -> None:
        self._settings = settings
        self._stamps = stamps
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def begin(self, back: str, wanted: str) -> tuple[str, str]:
        """Where to send the browser, and what its cookie holds until it returns to `back`.

        Raises SignInRefused where the provider can't be asked.
        """
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = _encode(sha256(kept["verifier"].encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._settings.scopes),
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = self._discover()["authorization_endpoint"]
        joint = "&" if "?" in address else "?"
        form = {**kept, "wanted": wanted, "until": time.time() + LASTS_S}
        return f"{address}{joint}{urlencode(query)}", self._seal(form)

    def finish(self, cookie: str, answer: Mapping[str, str], back: str) -> tuple[str, str]:
        """What the provider calls the person, and the page that was wanted.

        Raises SignInRefused for any answer that is not to the question which the cookie is of.
        """
        kept = self._unseal(cookie)
        if not secrets.compare_digest(kept["state"].encode(), answer.get("state", "").encode()):
            raise SignInRefused("the answer is not to this browser's question; begin again")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:
            raise SignInRefused("the answer is another provider's")
        if "code" not in answer:
            raise SignInRefused("the provider has not let you in")
        told = self._redeem(answer["code"], kept["verifier"], back)
        return self._read_claim(self._check(told, kept["nonce"])), kept["wanted"]

    def _redeem(self, code: str, verifier: str, back: str) -> str:
        """The ID token for a code."""
        known = self._discover()
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        methods = known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = None
        if "client_secret_basic" in methods:
            basic = (quote(settings.client_id, safe=""), quote(settings.client_secret, safe=""))
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        found = _ask("POST", known["token_endpoint"], data=form, auth=basic)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("the provider's answer holds no ID token")
        return token

    def _check(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token, which is this provider's, for this client, of this sign-in."""
        claims = self._verify(token)
        audience = claims.get("aud")
        client = self._settings.client_id
        others = isinstance(audience, list) and len(audience) > 1
        rules = jwt.JWTClaimsRegistry(
            leeway=_SKEW_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": client},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            rules.validate(claims)
        except JoseError as error:
            raise SignInRefused("the provider's ID token does not hold") from error
        if (others or "azp" in claims) and claims.get("azp") != client:
            raise SignInRefused("the provider's ID token is for another client")
        return claims

    def _verify(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature holds by one of the provider's keys."""
        for fresh in (False, True):  # keys change: what is not known is asked for once more
            keys = _ask("GET", self._discover(fresh=fresh)["jwks_uri"])
            try:
                found = jwt.decode(token, KeySet.import_key_set(keys), list(_ALGORITHMS))
            except (JoseError, ValueError, TypeError, KeyError) as error:
                cause = error
            else:
                return dict(found.claims)
        raise SignInRefused("the provider's ID token does not hold") from cause

    def _read_claim(self, claims: Mapping[str, Any]) -> str:
        name = self._settings.claim
        value = claims.get(name)
        if not isinstance(value, str) or not value:
            msg = f"the provider does not say your `{name}`"
            raise SignInRefused(msg)
        if name == "email" and claims.get("email_verified") is not True:
            raise SignInRefused("the provider does not say that your address is verified")
        return value

    def _discover(self, *, fresh: bool = False) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 4)."""
        with self._lock:
            if self._known is not None and not fresh and time.monotonic() < self._known[0]:
                return self._known[1]
        issuer = self._settings.issuer
        found: dict[str, Any] = _ask("GET", f"{issuer.rstrip('/')}{_DISCOVERY}")
        if found.get("issuer") != issuer:
            raise SignInRefused("the provider calls itself otherwise than it is configured")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            address = found.get(name)
            if not isinstance(address, str) or not is_protected(address):
                raise SignInRefused("the provider names an address that is not protected")
        with self._lock:
            self._known = (time.monotonic() + _KNOWN_S, found)
        return found

    def _seal(self, form: Mapping[str, Any]) -> str:
        text = _encode(json.dumps(form).encode())
        return f"{text}.{self._stamps.stamp(_PURPOSE, text)}"

    def _unseal(self, cookie: str) -> dict[str, Any]:
        text, _, stamp = cookie.partition(".")
        if not self._stamps.holds(_PURPOSE, text, stamp):
            raise SignInRefused("the answer is not to this browser's question; begin again")
        form: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if time.time() >= form["until"]:
            raise SignInRefused("signing in has taken too long; begin again")
        return form


def _ask(method: str, address: str, **sent: Any) -> Any:
    """The JSON object that a provider answers; no redirect is followed. Raises SignInRefused."""
    try:
        with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            answer = client.request(method, address, **sent)
        found = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SignInRefused("the provider can't be asked now") from error
    if not isinstance(found, dict) or len(answer.content) > _ANSWER_MAX:
        raise SignInRefused("the provider can't be asked now")
    return found


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
