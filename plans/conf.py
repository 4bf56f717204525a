"""Every number and address in one home, with its unit; the environment may set some.

The meaning and the defaults of the environment's variables are fixed by the project's contracts.
"""

import environ

from bluegreen import environment

env = environ.Env()

# --- The world outside ---------------------------------------------------------------------
OB_SERVICE_URL: str = env.str("OB_SERVICE_URL", default="").rstrip("/")
GATEWAY_URL: str = env.str("GATEWAY_URL", default="").rstrip("/")
INSTANCE_URL_TEMPLATE = environment.template(
    "INSTANCE_URL_TEMPLATE", default="{endpoint}", placeholder="{endpoint}"
)
NOTIFY_SERVICES: str = env.str("NOTIFY_SERVICES", default="instances=direct_rpc")
"""Which services a tenant has: `name=strategy` (its instances) or `name=strategy@address`, with
commas between; `none` for none."""
ALLOWED_ENDPOINT_NETWORKS = environment.networks("ALLOWED_ENDPOINT_NETWORKS")
HTTP_TIMEOUT_SECONDS = environment.number("HTTP_TIMEOUT_SECONDS", default=5, least=0.05, most=3600)
HTTP_ANSWER_MAX_BYTES = 1024 * 1024
RETRY_AFTER_MAX_SECONDS = 300.0
HTTP_KEEP_ALIVE_SECONDS = 15.0
HTTP_IDLE_CONNECTIONS = 4
"""Kept open at most by one thread for one kind of service."""
HTTP_FANOUT_THREADS = 32
"""Calls that one process makes at once on behalf of tenants with several instances."""
HTTP_FANOUT_MORE_THREADS = 256
"""For one such tenant, where those are busy with calls that hang."""
ENDPOINTS_PER_TENANT_MAX = 1000
REDIS_TIMEOUT_SECONDS = 5.0
REDIS_CONNECTIONS_MAX = 256

# --- Leases and workers --------------------------------------------------------------------
LEASE_SECONDS = environment.number("LEASE_SECONDS", default=10, least=1, most=3600)
HEARTBEAT_SECONDS = environment.number(
    "HEARTBEAT_SECONDS",
    default=min(3.0, LEASE_SECONDS / 3),
    least=0.01,
    most=LEASE_SECONDS / 2,
    limits="half of LEASE_SECONDS",
)
WORKER_THREADS_MAX = 1000
WORKER_THREADS = environment.whole_number(
    "WORKER_THREADS", default=16, least=1, most=WORKER_THREADS_MAX
)
WORKER_GRACE_SECONDS = environment.number("WORKER_GRACE_SECONDS", default=20, least=0, most=3600)
PROGRESS_SECONDS = 10.0
"""How often a task whose stage takes long says that it is alive."""

# --- Stages --------------------------------------------------------------------------------
WAIT_IN_THREAD_MAX_SECONDS = 1.0
"""A wait up to here is spent in the thread; a longer one parks the task."""
STAGE_TRIES = 3
REDIS_TRIES = 10
"""Redis being away is no fault of a tenant: so many tries last about three minutes."""
STAGE_RETRY_FIRST_SECONDS = 0.5
STAGE_RETRY_MAX_SECONDS = 30.0
EFFECTS_FIRST = 40
EFFECTS_LAST = 60
"""Of one stage run's outgoing calls so many are kept in full; all are counted."""
EFFECT_ADDRESS_CHARS = 300
ACK_POLL_SECONDS = 0.25
ACK_TIMEOUT_SECONDS = 60.0
HEALTH_INTERVAL_SECONDS_MAX = 3600.0
HEALTH_ATTEMPTS_MAX = 1000
"""Also for a plan that says its own."""
HEALTH_INTERVAL_SECONDS = environment.number(
    "HEALTH_INTERVAL_SECONDS", default=3, least=0, most=HEALTH_INTERVAL_SECONDS_MAX
)
HEALTH_ATTEMPTS = environment.whole_number(
    "HEALTH_ATTEMPTS", default=10, least=1, most=HEALTH_ATTEMPTS_MAX
)

# --- Conductor -----------------------------------------------------------------------------
CONDUCTOR_INTERVAL_SECONDS = 0.5
CONDUCTOR_LEASE_SECONDS: float = min(5.0, LEASE_SECONDS)
RING_AGAIN_SECONDS = 5.0
"""A hand-out or wake-up that nobody has picked up is rung again after this long."""
CONDUCTOR_SEEN_SECONDS = 15.0
"""A conductor that is not seen for so long is missing: another leads after its lease."""
READY_TIMEOUT_SECONDS = 2.0
LOOK_TIMEOUT_SECONDS = 0.5
"""Pages must not wait for a Redis that is away."""
SYNC_TENANTS_SECONDS = 300.0
OB_LIST_LIMIT = 1000
OB_QUESTIONS_SECONDS: float = 2 * HTTP_TIMEOUT_SECONDS
"""For asking about many tenants one by one, altogether; for reading the list before, as much."""
OB_QUESTIONS_MAX = 100
"""A plan that names more tenants that the registry lacks has the list read first."""
GONE_QUESTIONS_MAX = 200
"""Of the tenants that the list no longer names, so many are asked for in one round."""
GONE_SHARE_MAX = 0.5
"""A list that misses more of the registry than this is not believed."""

# --- Signing in ----------------------------------------------------------------------------
PROXIES = environment.whole_number(
    "PROXIES",
    default=0 if environment.yes_or_no("INSECURE_COOKIES", default=True) else 1,
    least=0,
    most=20,
)
"""How many proxies of ours stand in front: so many entries of X-Forwarded-For are believed."""
SIGN_IN_TRIES = 5
"""Tries of one name from one address until the first wait."""
SIGN_IN_NAME_TRIES = 25
SIGN_IN_ADDRESS_TRIES = 50
SIGN_IN_WAIT_SECONDS = 30.0
"""The first wait; each further try doubles it."""
SIGN_IN_WAIT_MAX_SECONDS = 900.0
SIGN_IN_NAME_WAIT_MAX_SECONDS = 60.0
SIGN_IN_FORGET_SECONDS = 3600.0
"""Tries count until nothing was tried for so long."""
TOKEN_USE_SECONDS = 60.0
"""How exactly the last use of an API token is known."""

# --- Requests ------------------------------------------------------------------------------
TENANTS_PER_PLAN_MAX = 20_000
WAVES_PER_PLAN_MAX = 100
SOAK_SECONDS_MAX = 30 * 24 * 3600
CONCURRENCY_MAX = 10_000
CONCURRENCY_DEFAULT = 10
NAME_MAX_CHARS = 200
REASON_MAX_CHARS = 1000
BODY_MAX_BYTES = 5 * 1024 * 1024
CSV_MAX_CHARS = 2 * 1024 * 1024
JSON_DEPTH_MAX = 20
PAGE_SIZE = 50
PAGE_SIZE_MAX = 500

# --- Live ----------------------------------------------------------------------------------
DOORBELLS_PER_SECOND = 20
FRAMES_PER_SECOND = 8
EVENTS_PER_FRAME_MAX = 2000
"""A reader that is further behind than this gets the whole page instead of the difference."""
FEED_EVENTS = 50
ROWS_PER_FRAME_MAX = 200
"""When more rows than this changed, a page fetches its table again instead."""
LIVE_POLL_SECONDS = 2.0
"""How often a feed looks whether it missed a doorbell, while somebody watches."""
LIVE_REFRESH_SECONDS = 5.0
"""How often what changes without an event (leases, workers, estimates) is rendered again."""
LIVE_HEARTBEAT_SECONDS = 5.0
LIVE_ACCESS_SECONDS = 30.0
"""How often an open page's sign-in and permission are looked at again."""
LIVE_UNSEEN_FRAMES_MAX = 1
"""Frames under way to one page: until it says that it saw them, it gets no more."""
LIVE_PATIENCE_SECONDS = 30.0
"""A page that has not said for so long that it saw a frame is dropped."""

# --- Renewal of keys -----------------------------------------------------------------------
# With more, the keys of plans (PLAN_KEYS_…) could run out before another process renews them.
RENEWAL_LEASE_SECONDS = environment.number("RENEWAL_LEASE_SECONDS", default=3, least=0.5, most=30)
"""A renewal process that is not heard of for so long loses what it renews to another."""
RENEWAL_BEAT_SECONDS: float = min(1.0, RENEWAL_LEASE_SECONDS / 4)
"""How often it says that it lives, and looks for what is new, stopped, or free."""
RENEWAL_TAKEOVER_SECONDS = 2.0
"""So long after that the other one may need until it renews."""
RENEWAL_UNREADABLE_SECONDS: float = 10 * RENEWAL_LEASE_SECONDS
"""So long a process leaves a renewal that it cannot read to others."""
RENEWAL_TICK_SECONDS = 0.01
RENEWAL_WATCH_SECONDS = 0.2
RENEWAL_THREADS = 8
"""Batches that are under way to one Redis at once."""
RENEWAL_BATCH_KEYS = 500
RENEWAL_TIMEOUT_SECONDS = 2.0
RENEWAL_LATE_SECONDS = 0.5
"""A renewal that takes effect more than this after it was due counts as late."""
RENEWAL_REFRESH_SECONDS = 5.0
"""How often patterns and functions are asked again which keys there are."""
RENEWAL_DONE_SECONDS = 2.0
"""How often it is asked whether the business is done."""
RENEWALS_KEPT_SECONDS = 7 * 86_400.0
"""Stopped renewals and ended processes are removed after this long."""
PLAN_KEYS_TTL_SECONDS = 60.0
PLAN_KEYS_INTERVAL_SECONDS = 20.0
PLAN_KEYS_REFRESH_SECONDS = 2.0
TTL_MAX_SECONDS = 366 * 86_400
CONFIG_TTL_SECONDS = environment.number(
    "CONFIG_TTL_SECONDS", default=0, least=0, most=TTL_MAX_SECONDS
)
"""The TTL of a tenant's configuration in Redis; 0 for none."""
