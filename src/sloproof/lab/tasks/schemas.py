"""What a client may send; anything else is answered with 422."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _address(value: str) -> str:
    name, at, host = value.rpartition("@")
    if not (name and at and "." in host) or any(character.isspace() for character in value):
        raise ValueError("não é um endereço de e-mail")
    return value


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("contém o caractere nulo")
    return value


Email = Annotated[str, StringConstraints(max_length=200), AfterValidator(_address), AfterValidator(_storable)]
Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_storable)]
Title = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_storable)
]
PersonName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(_storable)
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=200)]


class Body(BaseModel):
    """A JSON object with exactly the named fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Credentials(Body):
    """Who wants a token."""

    email: Email
    senha: Password


class NewUser(Body):
    """A user to be made."""

    nome: PersonName
    email: Email
    senha: Password


class ChangedUser(Body):
    """What of a user can be replaced."""

    nome: PersonName
    email: Email


class NewTask(Body):
    """A task to be made."""

    titulo: Title
    descricao: Text = ""


class ChangedTask(Body):
    """What of a task can be replaced."""

    titulo: Title
    descricao: Text = ""
    concluida: bool
