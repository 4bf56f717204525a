# One image for every process: web, worker, conductor, renewals. What it runs is its command.
FROM python:3.12-slim-bookworm AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /tmp/runtime.txt

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 bluegreen \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin bluegreen
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY manage.py pyproject.toml LICENSE ./
COPY bluegreen bluegreen
COPY plans plans
COPY templates templates
COPY static static
COPY locale locale
# Else each process would compile them again at each start.
RUN python -m compileall -q bluegreen plans
# Nothing is written below /app: VAR_DIR is the one place, and may be a tmpfs.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    VAR_DIR=/tmp/bluegreen LOG_FORMAT=json
USER 10001:10001
EXPOSE 8000
# For the web process; the others have none to ask, and say `healthcheck: disable`.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["daphne", "-v", "0", "-b", "0.0.0.0", "-p", "8000", "bluegreen.asgi:application"]
