"""One instance of the tasks API as an ASGI application."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sloproof.lab.tasks.answers import answer
from sloproof.lab.tasks.cache import AnswerCache, Redis
from sloproof.lab.tasks.database import Database
from sloproof.lab.tasks.metrics import CacheMetrics, RequestMetrics
from sloproof.lab.tasks.middleware import Answered, Measured, ServedBy
from sloproof.lab.tasks.migrate import migrate
from sloproof.lab.tasks.rate_limit import RateLimit
from sloproof.lab.tasks.service import Service
from sloproof.lab.tasks.settings import Settings
from sloproof.lab.tasks.store import Tasks, Users

Endpoint = Callable[[Request], Any]


def build_application(settings: Settings) -> Starlette:
    """The API with its probes and metrics.

    Args:
        settings: of this instance.

    Returns:
        An application that migrates the database when it starts and closes its connections when it stops.
    """
    database = Database(settings.pool_size)
    registry = CollectorRegistry()
    redis = Redis(settings.cache_port) if settings.cache_port else None
    cache = AnswerCache(redis, CacheMetrics(registry, settings.name))
    service = Service(
        Users(database),
        Tasks(database, settings.task_limit),
        settings.jwt_secret,
        RateLimit(settings.rate_limit),
        cache,
    )
    table = _table(service)
    metrics = RequestMetrics(registry, settings.name, ((method, path, codes) for method, path, _, codes in table))
    probes = _probes(settings, database, metrics)
    templates = {endpoint: path for _, path, endpoint, _ in table}
    middleware = [
        Middleware(ServedBy, instance=settings.name),
        *_tracing(settings, templates),
        Middleware(Measured, metrics=metrics, routes=templates, unmeasured=frozenset(probes.values())),
        Middleware(Answered),
    ]
    routes = [Route(path, endpoint, methods=[method]) for method, path, endpoint, _ in table]
    routes += [Route(path, endpoint, methods=["GET"]) for path, endpoint in probes.items()]
    return Starlette(routes=routes, middleware=middleware, lifespan=_lifespan(settings, database, cache))


def _table(service: Service) -> list[tuple[str, str, Endpoint, tuple[int, ...]]]:
    return [
        ("POST", "/login", service.log_in, (200,)),
        ("POST", "/usuarios", service.create_user, (201, 409)),
        ("GET", "/usuarios", service.list_users, (200,)),
        ("GET", "/usuarios/{id}", service.read_user, (200, 404)),
        ("PUT", "/usuarios/{id}", service.change_user, (200, 403, 404, 409)),
        ("DELETE", "/usuarios/{id}", service.delete_user, (204, 403, 404)),
        ("POST", "/tarefas", service.create_task, (201, 409)),
        ("GET", "/tarefas", service.list_tasks, (200,)),
        ("GET", "/tarefas/{id}", service.read_task, (200, 404)),
        ("PUT", "/tarefas/{id}", service.change_task, (200, 404)),
        ("DELETE", "/tarefas/{id}", service.delete_task, (204, 404)),
    ]


def _probes(settings: Settings, database: Database, metrics: RequestMetrics) -> dict[str, Endpoint]:
    async def healthz(_: Request) -> Response:
        ill = _raised(settings.unhealthy_flag)
        return answer({"status": "unhealthy" if ill else "ok", "instance": settings.name}, 503 if ill else 200)

    async def readyz(_: Request) -> Response:
        ready = await database.answers(within=0.5)
        return answer({"status": "ready" if ready else "database unreachable"}, 200 if ready else 503)

    async def metrics_page(_: Request) -> Response:
        if _raised(settings.no_metrics_flag):
            return answer({"status": "no metrics", "instance": settings.name}, 503)
        return Response(metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics_page}


def _raised(flag: Path | None) -> bool:
    return flag is not None and flag.exists()


def _tracing(settings: Settings, templates: dict[Endpoint, str]) -> list[Middleware]:
    if settings.traces_file is None:
        return []
    from sloproof.lab.tasks.tracing import Traced, trace_to

    return [Middleware(Traced, tracer=trace_to(settings.traces_file, settings.name), routes=templates)]


def _lifespan(settings: Settings, database: Database, cache: AnswerCache) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await migrate(settings.seed_password)
        await database.open()
        try:
            yield
        finally:
            await database.close()
            await cache.close()

    return lifespan
