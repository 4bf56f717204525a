"""The job of `four_calls` on DBOS, at its best: workflows called by threads, no queue between.

`python dbos_four_calls.py PORT DATABASE_URL FIRST LAST THREADS`, by a Python that has `dbos` and
`httpx`. Says `ready`, waits for a line, does tenants FIRST to LAST and prints JSON. DBOS stores
each step's result before the next, as Bluegreen does; it has no journal, leases or pages.
"""

import json
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from dbos import DBOS

port, database_url, *numbers = sys.argv[1:]
first, last, threads = (int(number) for number in numbers)
DBOS(
    config={
        "name": "bench",
        "system_database_url": database_url,
        "run_admin_server": False,
        "log_level": "ERROR",
    }
)
client = httpx.Client(
    base_url=f"http://127.0.0.1:{port}",
    limits=httpx.Limits(max_connections=threads, max_keepalive_connections=threads),
)


@DBOS.step()
def get_tenant(tenant_id: str) -> str:
    return client.get(f"/ob/tenants/{tenant_id}").raise_for_status().json()["status"]


@DBOS.step()
def get_route(tenant_id: str) -> str:
    return client.get(f"/gateway/routes/{tenant_id}").raise_for_status().json()["color"]


@DBOS.step()
def put_route(tenant_id: str) -> None:
    client.put(f"/gateway/routes/{tenant_id}", json={"color": "green"}).raise_for_status()


@DBOS.step()
def put_status(tenant_id: str) -> None:
    body = {"status": "GREEN"}
    client.put(f"/ob/tenants/{tenant_id}/status", json=body).raise_for_status()


@DBOS.workflow()
def switch(tenant_id: str) -> None:
    get_tenant(tenant_id)
    get_route(tenant_id)
    put_route(tenant_id)
    put_status(tenant_id)


DBOS.launch()
switch(f"warm{first}")
print("ready", flush=True)
sys.stdin.readline()
began, cpu = time.monotonic(), time.process_time()
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(switch, [f"t{n:05}" for n in range(first, last)]))
said = {
    "seconds": time.monotonic() - began,
    "cpu_seconds": time.process_time() - cpu,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}
print(json.dumps(said), flush=True)
os._exit(0)  # Its threads need not end in order.
