"""Hashed passwords."""

import hashlib
import hmac
import secrets

# A lab logs in under load on two cores: 2 ms a hash. A product would take n=2**17.
_COST = {"n": 1024, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """A salted scrypt hash, as `salt$hash` in hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_digest(password, salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether the password is the one whose hash was stored; takes equally long either way."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
