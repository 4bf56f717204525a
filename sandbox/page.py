"""The page at `/`: counts, active faults, a form for more. Works without JavaScript."""

from collections import Counter
from collections.abc import Mapping
from html import escape
from itertools import islice
from typing import Any

from sandbox.faults import KINDS, STEPS, Fault
from sandbox.tenants import Tenant
from sandbox.world import World

MAX_ROWS = 200

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d9e0, #3a4150);
  --soft: light-dark(#5a6372, #a3adbd); --blue: light-dark(#1d5fd0, #79a8ff);
  --green: light-dark(#10723f, #5fce93); }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  font-variant-numeric: tabular-nums; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
form.add { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
  align-items: end; }
label { display: grid; gap: .2rem; color: var(--soft); }
input, select, button { font: inherit; padding: .3rem .5rem; min-width: 0; max-width: 100%; }
.blue { color: var(--blue); } .green { color: var(--green); } .soft { color: var(--soft); }
[role=alert] { border-left: 4px solid light-dark(#b3261e, #ff8a80); padding: .5rem .8rem; }
"""


def fault_from_form(form: Mapping[str, str]) -> dict[str, Any]:
    """The form's texts as the JSON object that `faults.parse_fault` takes; empty ones left out.

    A text that should be a number and is none stays a text: parse_fault says what is wrong.
    """
    wanted: dict[str, Any] = {}
    for name, text in form.items():
        text = text.strip()
        if not text:
            continue
        if name in ("instance", "times", "code") and text.isascii() and text.isdigit():
            wanted[name] = int(text[:18])
        elif name == "seconds" and text.isascii() and text.replace(".", "", 1).isdigit():
            wanted[name] = float(text)
        else:
            wanted[name] = text
    return wanted


def render(world: World, error: str = "") -> bytes:
    alert = f'<p role="alert">{escape(error)}</p>' if error else ""
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandbox</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>
<body>
<h1>Sandbox</h1>
<p>OB service at <code>/ob</code>, gateway at <code>/gateway</code>, instances at
<code>/i/{{tenantId}}/{{n}}</code>, control at <code>/control</code>.</p>
{alert}
{_counts(world)}
<h2 id="faults">Active faults</h2>
{_faults(world)}
<h2>Add a fault</h2>
{_form()}
<h2>Tenants</h2>
{_tenants(world)}
</body></html>
""".encode("utf-8", "replace")


def _counts(world: World) -> str:
    statuses = Counter(tenant.status for tenant in world.fleet)
    routes = Counter(tenant.route for tenant in world.fleet)
    fences = "enforced" if world.fences.enforced else "only watched"
    watch = world.watch
    redis = "not used" if watch is None else "connected" if watch.connected else "not connected"
    rows = [
        ("Tenants", str(len(world.fleet))),
        ("Status at the OB service", _colors(statuses)),
        ("Route at the gateway", _colors(routes)),
        ("Calls so far", str(world.record.last)),
        ("Redis", redis),
        ("Fences", f"{fences}, {world.fences.refused} refused"),
    ]
    cells = "".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in rows)
    return f"<table>{cells}</table>"


def _colors(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f'<span class="{color}">{counts.get(color, 0)} {color}</span>'
        for color in ("blue", "green")
    )


def _faults(world: World) -> str:
    if not len(world.faults):
        return '<p class="soft">None: everything answers as it should.</p>'
    rows = "".join(_fault_row(fault) for fault in world.faults)
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Faults">'
        "<table><tr><th>Tenant</th><th>Step</th><th>Kind</th><th>Instance</th><th>Left</th>"
        f"<th>Hits</th><th></th></tr>{rows}</table></div>"
        '<form method="post" action="/faults/clear"><p><button>Remove all</button></p></form>'
    )


def _fault_row(fault: Fault) -> str:
    detail = {"latency": f"{fault.seconds:g} s", "status": str(fault.code)}.get(fault.kind, "")
    cells = (
        fault.tenant,
        fault.step,
        f"{fault.kind} {detail}".strip(),
        "all" if fault.instance is None else str(fault.instance),
        "until removed" if fault.times is None else str(fault.times),
        str(fault.hits),
    )
    texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    remove = (
        f'<form method="post" action="/faults/{fault.id}/remove">'
        f'<button aria-label="Remove fault {fault.id}">Remove</button></form>'
    )
    return f"<tr>{texts}<td>{remove}</td></tr>"


def _form() -> str:
    steps = "".join(f"<option>{step}</option>" for step in STEPS)
    kinds = "".join(
        f'<option value="{kind}">{kind}: {escape(meaning)}</option>'
        for kind, meaning in KINDS.items()
    )
    return f"""<form class="add" method="post" action="/faults">
<label>Tenant (* for all) <input name="tenant" value="*" required></label>
<label>Step <select name="step">{steps}</select></label>
<label>Kind <select name="kind">{kinds}</select></label>
<label>Instance (empty: all) <input name="instance" inputmode="numeric"></label>
<label>Times (empty: always) <input name="times" inputmode="numeric"></label>
<label>Seconds (latency) <input name="seconds" inputmode="decimal"></label>
<label>Code (status) <input name="code" inputmode="numeric"></label>
<label>Retry-After (status) <input name="retry_after"></label>
<button>Add</button>
</form>"""


def _tenants(world: World) -> str:
    rows = "".join(_tenant_row(tenant) for tenant in islice(world.fleet, MAX_ROWS))
    more = len(world.fleet) - MAX_ROWS
    note = f'<p class="soft">And {more} more.</p>' if more > 0 else ""
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Tenants">'
        "<table><tr><th>Id</th><th>Name</th><th>Status</th><th>Route</th><th>Configuration</th>"
        f"<th>In effect at instances</th></tr>{rows}</table></div>{note}"
    )


def _tenant_row(tenant: Tenant) -> str:
    versions = ", ".join(str(instance.version) for instance in tenant.instances)
    return (
        f"<tr><td>{escape(tenant.tenant_id)}</td><td>{escape(tenant.name)}</td>"
        f'<td class="{tenant.status}">{tenant.status}</td>'
        f'<td class="{tenant.route}">{tenant.route}</td>'
        f"<td>{tenant.config_version}</td><td>{versions}</td></tr>"
    )
