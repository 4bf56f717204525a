"""The bare loop: the same calls with the same clients and threads, storing nothing.

`python -m bench.bare TENANTS THREADS`; prints JSON.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from plans.ack import Question  # noqa: E402
from plans.clients import gateway, instances, ob_service, services  # noqa: E402
from plans.clients.http import Call  # noqa: E402
from plans.stores import tenant_config  # noqa: E402


def switch(tenant_id: str) -> None:
    """The calls of one switch, in their order."""
    call = Call(f"{tenant_id}-bare", 1)
    tenant = ob_service.get_tenant(tenant_id, call)
    tenant_config.read(tenant_id)
    gateway.get_route(tenant_id, call)
    tenant_config.write(tenant_id, 20, 1, "green", {})
    for endpoint in tenant.endpoints:
        Question().ask(endpoint, call)
    for endpoint in tenant.endpoints:
        services.notify(endpoint, tenant_id, 20, "green", call)
    gateway.put_route(tenant_id, "green", call)
    for endpoint in tenant.endpoints:
        instances.health(endpoint, call)
    ob_service.put_status(tenant_id, "green", call)


if __name__ == "__main__":
    ids = [f"b{n:05}" for n in range(int(sys.argv[1]))]
    switch("warm-up")
    began, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(int(sys.argv[2])) as threads:
        list(threads.map(switch, ids))
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "cpu_seconds": time.process_time() - cpu}))
