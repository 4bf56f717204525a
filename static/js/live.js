/* Keeps an open page true. The body says where to listen and what the page knows already:
   <body data-live="/ws/plans/7/" data-cursor="42">. See plans/live for the other side. */

import { become, isRefused, show, silentMs } from "./live_status.js";
import { morph } from "./morph.js";

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 8000;
const SILENCE_MAX_MS = 25_000;
const REFRESH_PAUSE_MS = 1000;
const REFRESH_SPREAD_MS = 250;
const REFUSED = [4401, 4403, 4404]; // Codes that say that coming back is no use.

const address = document.body.dataset.live;
let cursor = document.body.dataset.cursor ?? "";
let socket = null;
let tries = 0;
let retry = 0;

// --- The socket -----------------------------------------------------------------------------

function connect() {
  disconnect();
  const url = new URL(`${address}?${new URLSearchParams({ cursor })}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.onopen = ({ target }) => target.send(JSON.stringify({ shown: shownRows() }));
  socket.onmessage = ({ data, target }) => {
    tries = 0;
    take(JSON.parse(data));
    target.send('{"seen":true}');
  };
  socket.onclose = ({ code }) => {
    disconnect();
    if (REFUSED.includes(code)) become("refused");
    else comeBack();
  };
}

function disconnect() {
  clearTimeout(retry);
  if (socket) socket.onmessage = socket.onclose = null;
  socket?.close();
  socket = null;
}

function comeBack() {
  become("reconnecting");
  const pause = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** tries++);
  retry = setTimeout(connect, pause * (0.5 + Math.random()));
}

/** Ask for what changed since `since`: what the page shows may be as old as that. */
function resync(since = cursor) {
  if (isRefused()) return;
  tries = 0;
  cursor = since;
  const shown = shownRows();
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ cursor, shown }));
  else if (socket?.readyState !== WebSocket.CONNECTING) connect();
}

/** The rows it need be told of. */
const shownRows = () => [...document.querySelectorAll("tr[id]")].map(({ id }) => id);

function watchSilence() {
  show();
  if (!socket || silentMs() < SILENCE_MAX_MS) return;
  // The network may have dropped it without a word.
  disconnect();
  comeBack();
}

// --- What a frame changes -------------------------------------------------------------------

function take({ cursor: upTo, regions, rows, cells = [], events, refresh: due = [] }) {
  cursor = upTo;
  const focused = document.activeElement;
  for (const fresh of [...elements(regions), ...elements(rows)]) patch(fresh);
  for (const id of rows || events ? ["plan-table", "task-table"] : []) refreshIfFiltered(id);
  for (const cell of cells) paint(...cell);
  for (const item of elements(events)) insertEvent(item);
  for (const id of due) refresh(id);
  // A notice about a state goes when the state has moved on.
  const state = document.querySelector(".head[data-state]")?.dataset.state;
  for (const notice of document.querySelectorAll("#notices [data-state]")) {
    if (state && notice.dataset.state !== state) notice.remove();
  }
  if (document.activeElement !== focused && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
  become("live");
}

function patch(fresh) {
  const shown = document.getElementById(fresh.id);
  if (!shown || shown.isEqualNode(fresh)) return;
  // What everybody is told does not know this page's filter.
  if (!refreshIfFiltered(fresh.id)) put(shown, fresh);
}

function put(shown, fresh) {
  morph(shown, fresh);
  window.htmx?.process(document.getElementById(fresh.id));
}

function paint(id, className, title, href) {
  const cell = document.getElementById(id);
  if (!className) return cell?.remove();
  if (!cell) return refresh("wall");
  refreshIfFiltered("wall");
  Object.assign(cell, { className, title });
  if (href) cell.setAttribute("href", href);
  else cell.removeAttribute("href");
}

function insertEvent(item) {
  const feed = document.getElementById("event-feed");
  if (!feed || document.getElementById(item.id)) return;
  feed.querySelector(":scope > [data-empty]")?.remove();
  const seq = ({ id }) => Number(id.split("-").at(-1));
  feed.insertBefore(item, [...feed.children].find((other) => seq(other) < seq(item)) ?? null);
  window.htmx?.process(item);
  while (feed.children.length > Number(feed.dataset.limit)) feed.lastElementChild.remove();
}

function elements(html = "") {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

// --- What the page must fetch again, because its own filters and sorting decide --------------

const stale = new Set();
let refreshedAt = -Infinity;

function refresh(id) {
  if (!document.getElementById(id)) return;
  // One fetch for all that is due, and not all pages at the same moment.
  const due = Math.max(0, refreshedAt + REFRESH_PAUSE_MS - performance.now());
  // Where the network is away, the socket notices too, and comes back with the difference.
  const begin = () => fetchAgain().catch(console.debug);
  if (!stale.size) setTimeout(begin, due + Math.random() * REFRESH_SPREAD_MS);
  stale.add(id);
}

function refreshIfFiltered(id) {
  const isFiltered = document.getElementById(id)?.dataset.filtered !== undefined;
  if (isFiltered) refresh(id);
  return isFiltered;
}

async function fetchAgain() {
  const [ids, began, asked] = [[...stale], cursor, location.href];
  stale.clear();
  refreshedAt = performance.now();
  const headers = { "HX-Request": "true", "HX-Target": ids.length > 1 ? "" : ids[0] };
  const answer = await fetch(asked, { headers, cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (location.href !== asked) return ids.forEach(refresh); // Another filter was chosen meanwhile.
  for (const id of ids) {
    const [shown, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (shown && fresh) put(shown, document.importNode(fresh, true));
  }
  resync(began); // From when on it shows these rows.
}

// --- Answers that were made before a frame and arrive after it must not undo it ---------------

const begun = new WeakMap(); // the cursor at which htmx began each of its requests

// --- Begin ----------------------------------------------------------------------------------

if (address) {
  connect();
  show();
  setInterval(watchSilence, 1000);
  window.addEventListener("online", () => resync());
  document.addEventListener("visibilitychange", () => document.hidden || resync());
  document.addEventListener("htmx:beforeRequest", ({ detail }) => begun.set(detail.xhr, cursor));
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    resync(begun.get(detail.xhr));
  });
}
