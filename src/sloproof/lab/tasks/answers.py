"""Requests read and answers written: JSON both ways, one shape for every refusal."""

from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from sloproof.lab.tasks.schemas import Body

_LONGEST_PAGE = 100
B = TypeVar("B", bound=Body)


class Rejected(Exception):
    """The request is not carried out.

    Args:
        status: HTTP status code.
        reason: one sentence for the client.
        details: what exactly is wrong, for a body that does not fit.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: int, reason: str, *, details: list[Any] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.details = details
        self.headers = headers


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer; ids and times are written as text."""
    return Response(encoded(content), status, headers, media_type="application/json")


def encoded(content: Any) -> bytes:
    """Content as JSON; ids and times are written as text."""
    return to_json(content)


def ready(content: bytes) -> Response:
    """An answer of JSON that was made before."""
    return Response(content, media_type="application/json")


def refusal(rejected: Rejected) -> Response:
    """The answer to a request that is not carried out."""
    content: dict[str, Any] = {"erro": rejected.reason}
    if rejected.details:
        content["detalhes"] = rejected.details
    return answer(content, rejected.status, rejected.headers)


async def body(request: Request, schema: type[B]) -> B:
    """The request's JSON body.

    Raises:
        Rejected: 422 with each field that does not fit.
    """
    try:
        return schema.model_validate_json(await request.body())
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        raise Rejected(422, "corpo inválido", details=list(details)) from error


def identifier(request: Request) -> UUID:
    """The id in the path.

    Raises:
        Rejected: 404 when it is no id at all.
    """
    try:
        return UUID(request.path_params["id"])
    except ValueError as error:
        raise Rejected(404, "não encontrado") from error


def page(request: Request) -> tuple[int, int]:
    """Limit and offset from the query string; 20 and 0 by default.

    Raises:
        Rejected: 422 when one is no number, or out of bounds.
    """
    try:
        limit = int(request.query_params.get("limite", "20"))
        offset = int(request.query_params.get("inicio", "0"))
    except ValueError as error:
        raise Rejected(422, "`limite` e `inicio` devem ser números") from error
    if not (1 <= limit <= _LONGEST_PAGE and 0 <= offset <= 1_000_000):  # noqa: PLR2004
        raise Rejected(422, f"`limite` deve estar entre 1 e {_LONGEST_PAGE}, `inicio` entre 0 e 1000000")
    return limit, offset
