"""How faults of an Envoy's fault filter are prepared; importing this teaches `prepare` about them."""

import re

from sloproof.chaos.balancer_runtime import EnvoyRuntime, RequestsSpoilt
from sloproof.chaos.envoy_admin import EnvoyAdmin, percentage
from sloproof.chaos.faults import RUNTIME_KEYS, AbortRequests, BalancerFault, DelayRequests, whole_milliseconds
from sloproof.chaos.preparation import prepare
from sloproof.chaos.prepare_instance import work_until
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.target import Target
from sloproof.chaos.undo_step import WorkerThen
from sloproof.chaos.work import VaryDelay
from sloproof.chaos.worker_process import WorkerEnded, new_worker_file, start_worker
from sloproof.errors import PartFailed

_OF_A_ROUTE = re.compile(rf"{re.escape(RUNTIME_KEYS)}\.route\.([^.]+)\.")


@prepare.register
def _(fault: DelayRequests, target: Target, allowed: tuple[str, ...]) -> Prepared:
    length = f"{fault.keys}.delay.fixed_duration_ms"
    values = {
        length: str(whole_milliseconds(fault.delay)),
        f"{fault.keys}.delay.fixed_delay_percent": percentage(fault.percent),
    }
    prepared = _prepare_runtime(fault, target, values, "delays_injected", allowed)
    return prepared if fault.jitter is None else _varied(fault, prepared, length)


@prepare.register
def _(fault: AbortRequests, target: Target, allowed: tuple[str, ...]) -> Prepared:
    values = {
        f"{fault.keys}.abort.http_status": str(fault.status),
        f"{fault.keys}.abort.abort_percent": percentage(fault.percent),
    }
    return _prepare_runtime(fault, target, values, "aborts_injected", allowed)


def _prepare_runtime(
    fault: BalancerFault, target: Target, values: dict[str, str], counter: str, allowed: tuple[str, ...]
) -> Prepared:
    target.require(fault.required)
    admin = EnvoyAdmin(fault.envoy or target.envoy_admin, allowed=allowed)
    undo = EnvoyRuntime(
        admin=admin.url,
        values=admin.overrides(list(values)),
        envoy_started_at=admin.started_at(),
        allowed=allowed,
    )
    _check_route(fault.route, admin, values)

    def apply() -> str:
        admin.override(values)
        return "runtime keys set: " + ", ".join(f"{key}={value}" for key, value in values.items())

    effect = RequestsSpoilt(
        admin=admin.url, counter=counter, before=admin.injected(counter), values=values, allowed=allowed
    )
    return Prepared(undo, effect, apply)


def _varied(fault: DelayRequests, prepared: Prepared, length: str) -> Prepared:
    """The same, with a worker that changes the length of the delay."""
    undo, effect, file = prepared.undo, prepared.effect, new_worker_file()
    assert isinstance(undo, EnvoyRuntime)
    assert isinstance(effect, RequestsSpoilt)
    assert fault.jitter is not None
    middle, jitter = whole_milliseconds(fault.delay), whole_milliseconds(fault.jitter)

    def apply() -> str:
        told = prepared.apply()
        order = VaryDelay(
            until=work_until(fault.lasts),
            admin=undo.admin,
            key=length,
            shortest=middle - jitter,
            longest=middle + jitter,
            allowed=undo.allowed,
        )
        return f"{told}; process {start_worker(file, order)} varies the delay"

    steady = {key: value for key, value in effect.values.items() if key != length}
    return Prepared(
        WorkerThen(worker=WorkerEnded(file=file), then=undo), effect.model_copy(update={"values": steady}), apply
    )


def _check_route(route: str, admin: EnvoyAdmin, values: dict[str, str]) -> None:
    keys = admin.keys() if route else frozenset(values)
    missing = sorted(set(values) - keys)
    if missing:
        known = sorted({match[1] for key in keys if (match := _OF_A_ROUTE.match(key))})
        raise PartFailed(
            f"the Envoy at `{admin.url}` has no runtime key `{missing[0]}`, so no faults on a route `{route}`",
            hint=f"it has the routes {', '.join(f'`{name}`' for name in known)}"
            if known
            else "give its routes fault filters of their own, and the keys a value in a static layer",
        )
