"""The shape of the `tasks` system: Envoy, two instances of the API, and links from each to PostgreSQL and Redis."""

import json

from sloproof.lab import links
from sloproof.lab.envoy_bootstrap import Balancer, bootstrap
from sloproof.lab.postgres_cluster import PostgresCluster
from sloproof.lab.tasks.settings import SECRETS
from sloproof.lab.topology import Program, ScrapeJob, Site, System, Topology, script

INSTANCES = ("a1", "a2")
DATABASE = "tasks"
ROUTES = {"login": "/login", "usuarios": "/usuarios", "tarefas": "/tarefas"}
"""What can be delayed and aborted by itself."""
_BALANCER, _ADMIN, _POSTGRES, _REDIS, _LINKS = "balancer", "envoy-admin", "postgres", "redis", "links"
_DEPENDENCIES = (_POSTGRES, _REDIS)


def build(site: Site) -> Topology:
    """The system's programs, scrape jobs and files on a site."""
    return Topology(
        programs=(
            _postgres(site),
            *_redis(site),
            _links(site),
            *(_instance(site, name) for name in INSTANCES),
            _envoy(site),
            *_strain(site),
        ),
        balancer=_BALANCER,
        envoy_admin=_ADMIN,
        instances=INSTANCES,
        scrapes=(
            ScrapeJob(job="tasks-api", targets={name: site.address(name) for name in INSTANCES}, honor_labels=True),
            ScrapeJob(job="tasks-balancer", targets={"balancer": site.address(_ADMIN)}, path="/stats/prometheus"),
        ),
        files={"envoy.json": _bootstrap(site), "links.json": _link_ports(site)},
        secrets=SECRETS,
        dependencies=_dependencies(site),
        links=_LINKS,
        database=DATABASE,
    )


def _postgres(site: Site) -> Program:
    cluster = PostgresCluster(binary=site.parts["postgres"], folder=site.runtime / "postgres", user=site.database_user)
    return Program(
        name=_POSTGRES,
        command=cluster.command(site.ports[_POSTGRES]),
        port=site.ports[_POSTGRES],
        url=f"postgresql://{site.address(_POSTGRES)}/{DATABASE}",
        user=site.database_user,
        stop_signal="INT",
        priority=10,
    )


def _redis(site: Site) -> tuple[Program, ...]:
    """A cache that writes nothing to disk; none where the machine has no Redis."""
    if _REDIS not in _dependencies(site):
        return ()
    port = site.ports[_REDIS]
    settings = {"bind": "127.0.0.1", "port": port, "save": "", "appendonly": "no", "maxmemory": "64mb"}
    settings["maxmemory-policy"] = "allkeys-lru"
    # A title of its own overwrites its environment, by which whatever a lab left behind is found.
    settings["set-proc-title"] = "no"
    words = (word for name, value in settings.items() for word in (f"--{name}", str(value)))
    command = (str(site.parts[_REDIS]), *words)
    return (Program(name=_REDIS, command=command, port=port, url=f"redis://{site.address(_REDIS)}", priority=10),)


def _dependencies(site: Site) -> tuple[str, ...]:
    return tuple(name for name in _DEPENDENCIES if name in site.parts)


def link(instance: str, dependency: str) -> str:
    """The name of the link between an instance and a dependency, and of its port."""
    return f"{instance}-{dependency}"


def _links(site: Site) -> Program:
    return Program(
        name=_LINKS,
        command=(*script(site.python, links), str(site.folder / "config" / "links.json")),
        port=site.ports[_LINKS],
        url=site.url(_LINKS),
        health=f"{site.url(_LINKS)}/healthz",
        priority=15,
    )


def _link_ports(site: Site) -> str:
    ports = {
        link(instance, dependency): {
            "listen": site.ports[link(instance, dependency)],
            "upstream": site.ports[dependency],
        }
        for dependency in _dependencies(site)
        for instance in INSTANCES
    }
    return json.dumps({"control": site.ports[_LINKS], "links": ports}, indent=2) + "\n"


def _database(site: Site, port: str, application: str) -> dict[str, str]:
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(site.ports[port]),
        "PGUSER": DATABASE,
        "PGDATABASE": DATABASE,
        "PGAPPNAME": application,
    }


def _instance(site: Site, name: str) -> Program:
    environment = {
        "TASKS_INSTANCE": name,
        "TASKS_PORT": str(site.ports[name]),
        "TASKS_UNHEALTHY_FLAG": str(site.unhealthy / name),
        "TASKS_NO_METRICS_FLAG": str(site.no_metrics / name),
        **_database(site, link(name, _POSTGRES), name),
    }
    if _REDIS in _dependencies(site):
        environment["TASKS_CACHE_PORT"] = str(site.ports[link(name, _REDIS)])
    if site.traces:
        environment["TASKS_TRACES_FILE"] = str(site.folder / "traces" / f"{name}.jsonl")
    return Program(
        name=name,
        command=(site.python, "-m", "sloproof.lab.tasks.instance"),
        environment=environment,
        port=site.ports[name],
        url=site.url(name),
        health=f"{site.url(name)}/readyz",
        priority=20,
    )


def _strain(site: Site) -> tuple[Program, ...]:
    """Other clients of the database, past the links; each runs only when a fault starts it."""
    modules = {"strain-connections": "connections", "strain-locks": "locks"}
    return tuple(
        Program(
            name=name,
            command=(site.python, "-m", f"sloproof.lab.strain.{module}", str(site.strain / f"{name}.json")),
            environment=_database(site, _POSTGRES, name),
            on_demand=True,
        )
        for name, module in modules.items()
    )


def _envoy(site: Site) -> Program:
    return Program(
        name=_BALANCER,
        command=(
            str(site.parts["envoy"]),
            "--config-path", str(site.folder / "config" / "envoy.json"),
            "--concurrency", "1",
            "--log-level", "warning",
            "--disable-hot-restart",
            "--drain-time-s", "1",
        ),
        port=site.ports[_BALANCER],
        url=site.url(_BALANCER),
        health=f"{site.url(_ADMIN)}/ready",
        priority=30,
    )  # fmt: skip


def _bootstrap(site: Site) -> str:
    return bootstrap(
        Balancer(
            name=DATABASE,
            port=site.ports[_BALANCER],
            admin_port=site.ports[_ADMIN],
            instances={name: site.ports[name] for name in INSTANCES},
            repeatable_paths=("/login",),
            named_routes=ROUTES,
        )
    )


_LINK_PORTS = tuple(link(instance, dependency) for dependency in _DEPENDENCIES for instance in INSTANCES)

SYSTEM = System(
    ports=(_BALANCER, _ADMIN, *INSTANCES, *_DEPENDENCIES, _LINKS, *_LINK_PORTS),
    parts=("postgres", "envoy"),
    optional=("redis",),
    build=build,
    instances=INSTANCES,
    routes=tuple(ROUTES),
    dependencies=_DEPENDENCIES,
)
