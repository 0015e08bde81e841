"""The service's key pair on disk: the private half for the service alone, the public for guards."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from guardrails.approvals.vote import Signer, Verifier
from guardrails.errors import ConfigurationError

DEFAULT_KEY = ".guardrails/approvals.key"
"""Where the service's private key is kept where nothing else is said."""

DEFAULT_PUBLIC_KEY = ".guardrails/approvals.pub"
"""Where guards look for the public key; it may hold several, one after another."""

_BEGIN = b"-----BEGIN "


def make_keys(private: str | os.PathLike[str], public: str | os.PathLike[str]) -> Signer:
    """A new key pair, written to two files; the private one is its owner's alone.

    Raises FileExistsError where either is there: of processes that try at once, one makes it, and
    a public key whose votes would no longer count is not overwritten.
    """
    if os.path.lexists(public):
        raise FileExistsError(os.fspath(public))
    made = Ed25519PrivateKey.generate()
    _create(private, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    signer = Signer(made)
    _publish(signer, public)
    return signer


def read_signer(path: str | os.PathLike[str] = DEFAULT_KEY) -> Signer:
    """The service's key; raises ConfigurationError for what is none, or is others' to read."""
    if os.name == "posix" and Path(path).exists() and Path(path).stat().st_mode & 0o077:
        msg = f"{os.fspath(path)}: others may read the key of approvals: chmod 600 {path}"
        raise ConfigurationError(msg)
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{os.fspath(path)}: this is no private key of approvals"
        raise ConfigurationError(msg)
    return Signer(key)


def read_verifier(path: str | os.PathLike[str] = DEFAULT_PUBLIC_KEY) -> Verifier:
    """The public keys of a file; raises ConfigurationError for what holds none or others."""
    parts = _read(path).split(_BEGIN)[1:]
    keys = [_read_public(_BEGIN + part, path) for part in parts]
    if not keys:
        msg = f"{os.fspath(path)}: this holds no public key of approvals"
        raise ConfigurationError(msg)
    return Verifier(keys)


def open_keys(
    private: str | os.PathLike[str] = DEFAULT_KEY,
    public: str | os.PathLike[str] = DEFAULT_PUBLIC_KEY,
) -> Signer:
    """The service's key, made with its public half where there is none of either yet.

    Raises ConfigurationError where the private half is gone or is others' to read.

    For service and guard under one account: what that does not protect is told in
    `docs/decisions/0008-signed-votes.md`.
    """
    if not os.path.lexists(private):
        try:
            return make_keys(private, public)
        except FileExistsError:
            pass  # another process was quicker; or the private half is gone, which is told below
    signer = read_signer(private)
    if not os.path.lexists(public):
        _publish(signer, public)
    return signer


def _publish(signer: Signer, public: str | os.PathLike[str]) -> None:
    shown = signer.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with suppress(FileExistsError):
        _create(public, shown, 0o644)


def _create(path: str | os.PathLike[str], content: bytes, mode: int) -> None:
    """Write a file that was not there, whole or not at all, known to the disk."""
    target = Path(path)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)
    finally:
        draft.unlink()


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        msg = f"{os.fspath(path)}: can't be read: {(error.strerror or 'no reason given').lower()}"
        raise ConfigurationError(msg) from None


def _read_public(pem: bytes, path: str | os.PathLike[str]) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        key = None
    if isinstance(key, Ed25519PublicKey):
        return key
    msg = f"{os.fspath(path)}: one of the keys is no public key of approvals"
    raise ConfigurationError(msg)
