"""The key that signs exports of the audit log: made at first use, under the data folder."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from core.errors import RecordsError
from core.files import put_once

PRIVATE, PUBLIC = "audit-signing-key.pem", "audit-signing-key.pub.pem"


def signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """This installation's private key; its public half stands in the file beside it.

    Raises:
        RecordsError: it can't be made or read.
    """
    path = data_dir / PRIVATE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = Ed25519PrivateKey.generate()
            put_once(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("another kind of key")
        if not (data_dir / PUBLIC).exists():
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            put_once(data_dir / PUBLIC, public, mode=0o644)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise RecordsError(
            f"The signing key {path} can't be made or read; nothing was exported. Put the file back, or make its "
            "folder writable."
        ) from None
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key in a PEM file.

    Raises:
        RecordsError: there is none.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("another kind of key")
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise RecordsError(
            f"{path} holds no public key of an audit log. Name the file that the exporting desk has under its data "
            f"folder as {PUBLIC}: --key FILE."
        ) from None
    return key


def raw(key: Ed25519PublicKey) -> bytes:
    """The key's 32 bytes."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
