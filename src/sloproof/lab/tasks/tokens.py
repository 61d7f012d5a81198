"""Signed tokens that say who calls."""

import time
from uuid import UUID

import jwt

_ALGORITHM = "HS256"
LIFETIME = 3600
"""Seconds that a token is good for."""


def issue(user: UUID, secret: str) -> str:
    """A token for the user, good for `LIFETIME` seconds on every instance with the same secret."""
    now = int(time.time())
    return jwt.encode({"sub": str(user), "iat": now, "exp": now + LIFETIME}, secret, algorithm=_ALGORITHM)


def bearer(authorization: str, secret: str) -> UUID | None:
    """Who the `Authorization` header speaks for.

    Returns:
        The user's id; None when the header holds no valid, unexpired token of ours.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options={"require": ["sub", "exp"]})
        return UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError):
        return None
