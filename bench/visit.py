"""Sign in and read one page some times: `python -m bench.visit PORT PATH TIMES`; prints JSON."""

import json
import statistics
import sys
import time

import django

django.setup()

import httpx  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402

PASSWORD = "only-for-this-measurement"


def signed_in(base: str) -> httpx.Client:
    """A client with the session of a new administrator."""
    users = get_user_model().objects
    if not users.filter(username="bench").exists():
        users.create_superuser("bench", password=PASSWORD)
    client = httpx.Client(base_url=base, trust_env=False, timeout=60)
    client.get("/login/")
    answer = client.post(
        "/login/",
        data={
            "username": "bench",
            "password": PASSWORD,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        },
        headers={"Referer": f"{base}/login/"},
    )
    assert answer.status_code == 302, answer.status_code
    return client


if __name__ == "__main__":
    client = signed_in(f"http://127.0.0.1:{sys.argv[1]}")
    seconds, size = [], 0
    for _ in range(int(sys.argv[3])):
        began = time.monotonic()
        answer = client.get(sys.argv[2])
        seconds.append(time.monotonic() - began)
        assert answer.status_code == 200, answer.status_code
        size = len(answer.content)
    print(json.dumps({"median_seconds": statistics.median(seconds), "bytes": size}))
