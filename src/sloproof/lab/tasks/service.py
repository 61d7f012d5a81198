"""The endpoints of the tasks API."""

import asyncio
import time
from typing import TypeVar
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from sloproof.lab.tasks import tokens
from sloproof.lab.tasks.answers import Rejected, answer, body, encoded, identifier, page, ready
from sloproof.lab.tasks.cache import AnswerCache
from sloproof.lab.tasks.passwords import hash_password, password_matches
from sloproof.lab.tasks.rate_limit import RateLimit
from sloproof.lab.tasks.schemas import ChangedTask, ChangedUser, Credentials, NewTask, NewUser
from sloproof.lab.tasks.store import Conflict, Tasks, Users

T = TypeVar("T")

_NO_USER_HASH = hash_password("nobody has this password")


class Service:
    """What the API does for a caller.

    Args:
        users: who may call.
        tasks: what they have to do.
        jwt_secret: signs the tokens.
        rate_limit: how fast one user may call.
        cache: keeps what callers read of their tasks.
    """

    def __init__(self, users: Users, tasks: Tasks, jwt_secret: str, rate_limit: RateLimit, cache: AnswerCache) -> None:
        self._users = users
        self._tasks = tasks
        self._jwt_secret = jwt_secret
        self._rate_limit = rate_limit
        self._cache = cache

    async def log_in(self, request: Request) -> Response:
        """A token for an e-mail address and its password."""
        wanted = await body(request, Credentials)
        known = await self._users.credentials(wanted.email)
        # An unknown address takes as long as a wrong password, so that neither can be told from the other.
        stored = known["senha"] if known else _NO_USER_HASH
        matches = await asyncio.to_thread(password_matches, wanted.senha, stored)
        if known is None or not matches:
            raise Rejected(401, "e-mail ou senha incorretos", headers={"www-authenticate": "Bearer"})
        token = tokens.issue(known["id"], self._jwt_secret)
        return answer({"token": token, "tipo": "Bearer", "expira_em": tokens.LIFETIME})

    async def create_user(self, request: Request) -> Response:
        """A new user; anybody may sign up."""
        new = await body(request, NewUser)
        senha = await asyncio.to_thread(hash_password, new.senha)
        made = await self._users.create(uuid4(), new.nome, new.email, senha)
        if isinstance(made, Conflict):
            raise Rejected(409, made.value)
        return answer(made, 201, {"location": f"/usuarios/{made['id']}"})

    async def list_users(self, request: Request) -> Response:
        """A page of users."""
        self._caller(request)
        return answer(await self._users.page(*page(request)))

    async def read_user(self, request: Request) -> Response:
        """One user."""
        self._caller(request)
        return answer(_found(await self._users.read(identifier(request))))

    async def change_user(self, request: Request) -> Response:
        """Another name or address for the caller."""
        user = self._self(request)
        wanted = await body(request, ChangedUser)
        changed = await self._users.change(user, wanted.nome, wanted.email)
        if isinstance(changed, Conflict):
            raise Rejected(409, changed.value)
        return answer(_found(changed))

    async def delete_user(self, request: Request) -> Response:
        """The caller leaves, with all tasks."""
        if not await self._users.delete(self._self(request)):
            raise Rejected(404, "não encontrado")
        return Response(status_code=204)

    async def create_task(self, request: Request) -> Response:
        """A new task of the caller's."""
        caller = self._caller(request)
        new = await body(request, NewTask)
        made = await self._tasks.create(uuid4(), caller, new.titulo, new.descricao)
        if isinstance(made, Conflict):
            raise Rejected(409, made.value)
        await self._cache.forget(str(caller))
        return answer(made, 201, {"location": f"/tarefas/{made['id']}"})

    async def list_tasks(self, request: Request) -> Response:
        """A page of the caller's tasks."""
        caller = self._caller(request)
        limit, start = page(request)

        async def read() -> bytes:
            return encoded(await self._tasks.page(caller, limit, start))

        return ready(_found(await self._cache.read(str(caller), f"{limit}:{start}", read)))

    async def read_task(self, request: Request) -> Response:
        """One task of the caller's."""
        caller = self._caller(request)
        task = identifier(request)

        async def read() -> bytes | None:
            row = await self._tasks.read(task, caller)
            return None if row is None else encoded(row)

        return ready(_found(await self._cache.read(str(caller), str(task), read)))

    async def change_task(self, request: Request) -> Response:
        """Another content for a task of the caller's."""
        caller = self._caller(request)
        task = identifier(request)
        new = await body(request, ChangedTask)
        changed = _found(await self._tasks.change(task, caller, new.titulo, new.descricao, new.concluida))
        await self._cache.forget(str(caller))
        return answer(changed)

    async def delete_task(self, request: Request) -> Response:
        """One task of the caller's less."""
        caller = self._caller(request)
        if not await self._tasks.delete(identifier(request), caller):
            raise Rejected(404, "não encontrado")
        await self._cache.forget(str(caller))
        return Response(status_code=204)

    def _caller(self, request: Request) -> UUID:
        caller = tokens.bearer(request.headers.get("authorization", ""), self._jwt_secret)
        if caller is None:
            raise Rejected(401, "token ausente ou inválido", headers={"www-authenticate": "Bearer"})
        if not self._rate_limit.admits(caller, time.monotonic()):
            raise Rejected(429, "requisições demais", headers={"retry-after": "1"})
        return caller

    def _self(self, request: Request) -> UUID:
        caller = self._caller(request)
        if identifier(request) != caller:
            raise Rejected(403, "só o próprio usuário pode fazer isso")
        return caller


def _found(row: T | None) -> T:
    if row is None:
        raise Rejected(404, "não encontrado")
    return row
