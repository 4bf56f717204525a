/* Keeps an open page true. The body says where to listen and what the page knows already:
   <body data-live="/ws/plans/7/" data-cursor="42">. See plans/live for the other side. */

import { LiveStatus } from "./live_status.js";
import { morph } from "./morph.js";

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 8000;
const SILENCE_MAX_MS = 25_000;
const REFRESH_PAUSE_MS = 1000;
const REFRESH_SPREAD_MS = 250;
const REQUEST_MAX_MS = 30_000;
const REFUSED = 4400; // Codes from here on, up to 4404, say that coming back is no use.
const REFUSED_LAST = 4404;

const { live: address, cursor: firstCursor } = document.body.dataset;
const status = new LiveStatus();
let cursor = firstCursor ?? "";
let socket = null;
let tries = 0;
let retry = 0;

// --- The socket -----------------------------------------------------------------------------

function connect() {
  clearTimeout(retry);
  disconnect();
  const url = new URL(address, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("cursor", cursor);
  const opened = new WebSocket(url);
  socket = opened;
  opened.onmessage = ({ data }) => {
    if (socket !== opened) return;
    tries = 0;
    take(JSON.parse(data));
    opened.send('{"seen":true}');
  };
  opened.onclose = ({ code }) => {
    if (socket !== opened) return;
    socket = null;
    if (code > REFUSED && code <= REFUSED_LAST) status.refused(code);
    else comeBack();
  };
}

function disconnect() {
  const left = socket;
  socket = null;
  left?.close();
}

function comeBack() {
  status.away();
  const pause = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** tries);
  tries += 1;
  retry = setTimeout(connect, pause * (0.5 + Math.random()));
}

function resync() {
  if (status.isRefused) return;
  tries = 0;
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ cursor }));
  else if (socket?.readyState !== WebSocket.CONNECTING) connect();
}

function watchSilence() {
  if (!socket || status.silentMs < SILENCE_MAX_MS) return;
  // The network may have dropped it without a word.
  disconnect();
  comeBack();
}

// --- What a frame changes -------------------------------------------------------------------

function take(frame) {
  cursor = frame.cursor;
  const focused = document.activeElement;
  keep(frame);
  apply(frame);
  insertEvents(frame.events ?? "");
  for (const id of frame.refresh ?? []) refresh(id);
  if (document.activeElement !== focused && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
  status.heard();
}

function apply({ regions = "", rows = "", cells = [] }) {
  for (const fresh of elements(regions)) patch(fresh);
  for (const fresh of elements(rows)) {
    patch(fresh);
    refreshIfFiltered(fresh.id.startsWith("plan-") ? "plan-table" : "task-table");
  }
  for (const cell of cells) paint(...cell);
  if (cells.length) refreshIfFiltered("wall");
  // A notice about a state goes when the state has moved on.
  const state = document.querySelector(".head[data-state]")?.dataset.state;
  for (const notice of document.querySelectorAll("#notices [data-state]")) {
    if (state && notice.dataset.state !== state) notice.remove();
  }
}

function patch(fresh) {
  const shown = document.getElementById(fresh.id);
  if (!shown || shown.isEqualNode(fresh)) return;
  morph(shown, fresh);
  window.htmx?.process(document.getElementById(fresh.id));
}

function paint(id, classes, title, href) {
  const cell = document.getElementById(id);
  if (!cell) {
    refresh("wall");
    return;
  }
  if (cell.className !== classes) cell.className = classes;
  if (cell.title !== title) cell.title = title;
  if (href && cell.getAttribute("href") !== href) cell.setAttribute("href", href);
  else if (href === "") cell.removeAttribute("href");
}

function insertEvents(html) {
  const feed = document.getElementById("event-feed");
  if (!feed) return;
  for (const item of elements(html)) {
    if (document.getElementById(item.id)) continue;
    feed.querySelector(":scope > [data-empty]")?.remove();
    const older = [...feed.children].find((other) => seqOf(other) < seqOf(item));
    feed.insertBefore(item, older ?? null);
    window.htmx?.process(item);
  }
  const limit = Number(feed.dataset.limit ?? 50);
  while (feed.children.length > limit) feed.lastElementChild.remove();
}

function seqOf(item) {
  return Number(item.id.split("-").at(-1));
}

function elements(html) {
  if (!html) return [];
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

// --- What the page must fetch again, because its own filters and sorting decide --------------

const refreshedAt = new Map();
const refreshing = new Set();

function refresh(id) {
  if (refreshing.has(id) || !document.getElementById(id)) return;
  refreshing.add(id);
  const due = (refreshedAt.get(id) ?? -Infinity) + REFRESH_PAUSE_MS - performance.now();
  // Not all pages at the same moment.
  setTimeout(async () => {
    refreshing.delete(id);
    refreshedAt.set(id, performance.now());
    await fetchAgain(id);
  }, Math.max(0, due) + Math.random() * REFRESH_SPREAD_MS);
}

function refreshIfFiltered(id) {
  if (document.getElementById(id)?.dataset.filtered !== undefined) refresh(id);
}

async function fetchAgain(id) {
  const began = requestBegins();
  const headers = { "HX-Request": "true", "HX-Target": id };
  try {
    const answer = await fetch(location.href, { headers, cache: "no-store" });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(id);
    if (!fresh) return;
    patch(document.importNode(fresh, true));
    replay(began);
  } catch (error) {
    // The network is away: the socket notices too, and comes back with the difference.
    console.debug("refresh", id, error);
  }
}

// --- Answers that were made before a frame and arrive after it must not undo it ---------------

const recent = [];
const begun = new WeakMap(); // when htmx began each of its requests
let lastBegan = -Infinity;

function requestBegins() {
  lastBegan = performance.now();
  return lastBegan;
}

function keep(frame) {
  const now = performance.now();
  if (now - lastBegan < REQUEST_MAX_MS) recent.push({ at: now, frame });
  else recent.length = 0;
}

function replay(since) {
  for (const { at, frame } of [...recent]) if (at >= since) apply(frame);
}

function requestOf({ detail }) {
  return detail?.xhr ?? detail?.ctx ?? document;
}

// --- Begin ----------------------------------------------------------------------------------

if (address) {
  connect();
  setInterval(watchSilence, 1000);
  window.addEventListener("online", resync);
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", ({ persisted }) => persisted && resync());
  document.addEventListener("visibilitychange", () => document.hidden || resync());
  for (const name of ["htmx:beforeRequest", "htmx:before:request"]) {
    document.addEventListener(name, (event) => begun.set(requestOf(event), requestBegins()));
  }
  for (const name of ["htmx:afterSettle", "htmx:after:settle"]) {
    document.addEventListener(name, (event) => replay(begun.get(requestOf(event)) ?? Infinity));
  }
} else {
  status.off();
}
