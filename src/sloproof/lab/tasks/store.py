"""Users and tasks in the database.

Every statement may be sent twice: ids are made by the caller, so that a write whose answer was lost is found again.
"""

from enum import Enum
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from sloproof.lab.tasks.database import Database


class Conflict(Enum):
    """Why a write was not accepted."""

    EMAIL_TAKEN = "email já cadastrado"
    TASK_LIMIT = "limite de tarefas por usuário atingido"


_USER = "id, nome, email, total_tarefas, criado_em"
_TASK = "id, usuario_id, titulo, descricao, concluida, criada_em"


class Users:
    """The people who have tasks.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user: UUID, nome: str, email: str, senha: str) -> DictRow | Conflict:
        """Add a user; `senha` is already hashed."""
        query = f"""
            with novo as (
                insert into usuarios (id, nome, email, senha) values (%(id)s, %(nome)s, %(email)s, %(senha)s)
                on conflict (id) do nothing returning {_USER}
            )
            select {_USER} from novo union all select {_USER} from usuarios where id = %(id)s limit 1
        """
        try:
            row = await self._database.row(query, {"id": user, "nome": nome, "email": email, "senha": senha})
        except psycopg.errors.UniqueViolation:
            return Conflict.EMAIL_TAKEN
        return row or Conflict.EMAIL_TAKEN

    async def credentials(self, email: str) -> DictRow | None:
        """Id and hashed password of the user with this address."""
        return await self._database.row(
            "select id, senha from usuarios where lower(email) = lower(%(email)s)", {"email": email}
        )

    async def page(self, limit: int, offset: int) -> list[DictRow]:
        """Users, oldest first."""
        query = f"select {_USER} from usuarios order by criado_em, id limit %(limit)s offset %(offset)s"
        return await self._database.rows(query, {"limit": limit, "offset": offset})

    async def read(self, user: UUID) -> DictRow | None:
        """One user, without the password."""
        return await self._database.row(f"select {_USER} from usuarios where id = %(id)s", {"id": user})

    async def change(self, user: UUID, nome: str, email: str) -> DictRow | Conflict | None:
        """Rename a user or give another address; None when there is no such user."""
        query = f"update usuarios set nome = %(nome)s, email = %(email)s where id = %(id)s returning {_USER}"
        try:
            return await self._database.row(query, {"id": user, "nome": nome, "email": email})
        except psycopg.errors.UniqueViolation:
            return Conflict.EMAIL_TAKEN

    async def delete(self, user: UUID) -> bool:
        """Remove a user with all tasks; False when there is no such user."""
        return await self._database.row("delete from usuarios where id = %(id)s returning id", {"id": user}) is not None


class Tasks:
    """What the users have to do. Nobody sees another user's tasks.

    Args:
        database: where they are kept.
        limit: tasks that one user may have.
    """

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit

    async def create(self, task: UUID, owner: UUID, titulo: str, descricao: str) -> DictRow | Conflict:
        """Add a task, unless the owner has as many as allowed.

        The place is taken and the task put into it by one statement, so that two at once cannot pass the limit.
        """
        query = f"""
            with vaga as (
                update usuarios set total_tarefas = total_tarefas + 1
                where id = %(owner)s and total_tarefas < %(limit)s
                    and not exists (select 1 from tarefas where id = %(id)s)
                returning id
            ), nova as (
                insert into tarefas (id, usuario_id, titulo, descricao)
                select %(id)s, vaga.id, %(titulo)s, %(descricao)s from vaga returning {_TASK}
            )
            select {_TASK} from nova union all select {_TASK} from tarefas where id = %(id)s limit 1
        """
        values = {"id": task, "owner": owner, "titulo": titulo, "descricao": descricao, "limit": self._limit}
        return await self._database.row(query, values) or Conflict.TASK_LIMIT

    async def page(self, owner: UUID, limit: int, offset: int) -> list[DictRow]:
        """The owner's tasks, newest first."""
        query = f"""
            select {_TASK} from tarefas where usuario_id = %(owner)s
            order by criada_em desc limit %(limit)s offset %(offset)s
        """
        return await self._database.rows(query, {"owner": owner, "limit": limit, "offset": offset})

    async def read(self, task: UUID, owner: UUID) -> DictRow | None:
        """One task of the owner."""
        query = f"select {_TASK} from tarefas where id = %(id)s and usuario_id = %(owner)s"
        return await self._database.row(query, {"id": task, "owner": owner})

    async def change(self, task: UUID, owner: UUID, titulo: str, descricao: str, concluida: bool) -> DictRow | None:
        """Replace what a task says; None when the owner has no such task."""
        query = f"""
            update tarefas set titulo = %(titulo)s, descricao = %(descricao)s, concluida = %(concluida)s
            where id = %(id)s and usuario_id = %(owner)s returning {_TASK}
        """
        values = {"id": task, "owner": owner, "titulo": titulo, "descricao": descricao, "concluida": concluida}
        return await self._database.row(query, values)

    async def delete(self, task: UUID, owner: UUID) -> bool:
        """Remove a task; False when the owner has no such task."""
        query = """
            with removida as (
                delete from tarefas where id = %(id)s and usuario_id = %(owner)s returning usuario_id
            )
            update usuarios set total_tarefas = total_tarefas - 1 from removida
            where usuarios.id = removida.usuario_id returning usuarios.id
        """
        return await self._database.row(query, {"id": task, "owner": owner}) is not None
