"""Brings the database to the newest schema, once, whichever instance comes first."""

import asyncio
import logging
import time
from importlib import resources
from uuid import uuid4

import psycopg

from sloproof.lab.tasks.passwords import hash_password

SEEDED_USERS = 400
SEEDED_TASKS = 5
_LOCK = 7_315_001
_PATIENCE = 30.0

log = logging.getLogger(__name__)


async def migrate(seed_password: str) -> None:
    """Apply every migration that is not applied yet, then seed users and tasks into an empty database.

    Args:
        seed_password: of the seeded users `user-001@example.test` and so on; empty to seed none.

    Raises:
        psycopg.Error: the database did not answer within 30 s, or a migration is wrong.
    """
    async with await _connect() as connection:
        await connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        await connection.execute(
            "create table if not exists migracoes (nome text primary key, aplicada_em timestamptz default now())"
        )
        await _apply(connection)
        if seed_password:
            await _seed(connection, seed_password)
        await connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))


async def _connect() -> psycopg.AsyncConnection:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return await psycopg.AsyncConnection.connect("connect_timeout=2", autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


async def _apply(connection: psycopg.AsyncConnection) -> None:
    applied = {name for (name,) in await (await connection.execute("select nome from migracoes")).fetchall()}
    folder = resources.files("sloproof.lab.tasks") / "migrations"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql") and file.name not in applied:
            async with connection.transaction():
                await connection.execute(file.read_bytes())
                await connection.execute("insert into migracoes (nome) values (%s)", (file.name,))
            log.info("migration applied", extra={"migration": file.name})


async def _seed(connection: psycopg.AsyncConnection, password: str) -> None:
    if await (await connection.execute("select 1 from usuarios limit 1")).fetchone():
        return
    senha = hash_password(password)
    users = [
        (uuid4(), f"User {n:03}", f"user-{n:03}@example.test", senha, SEEDED_TASKS) for n in range(1, SEEDED_USERS + 1)
    ]
    tasks = [(uuid4(), user[0], f"Tarefa {n}") for user in users for n in range(1, SEEDED_TASKS + 1)]
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(
            "insert into usuarios (id, nome, email, senha, total_tarefas) values (%s, %s, %s, %s, %s)", users
        )
        await cursor.executemany("insert into tarefas (id, usuario_id, titulo) values (%s, %s, %s)", tasks)
    log.info("seeded", extra={"users": len(users), "tasks": len(tasks)})
