/* Says how old the page's truth is. The words are data attributes of #live-status, so that the
   server translates them: data-connecting, data-live, data-reconnecting, data-refused,
   data-behind ("%s s behind"). */

const BEHIND_AFTER_MS = 10_000;
const SUMMARY_PAUSE_MS = 10_000;

let state = "connecting";
let heardAt = performance.now();
let summarizedAt = -Infinity;
let summarized = "";

/** Milliseconds since the server last said that the page is true, or since it was asked. */
export const silentMs = () => performance.now() - heardAt;

export const isRefused = () => state === "refused";

/** `next` is "live", "reconnecting" or, for good, "refused". */
export function become(next) {
  if (next === "live") heardAt = performance.now();
  // What was never connected does not come back.
  if (!isRefused() && !(state === "connecting" && next === "reconnecting")) state = next;
  show();
}

export function show() {
  const shown = document.getElementById("live-status");
  const isOld = !isRefused() && silentMs() > BEHIND_AFTER_MS;
  const words = [shown.dataset[state]];
  if (isOld) words.push(shown.dataset.behind.replace("%s", Math.round(silentMs() / 1000)));
  const wanted = state === "live" ? words.at(-1) : words.join(", ");
  shown.dataset.state = state === "live" && isOld ? "behind" : state;
  if (shown.textContent !== wanted) shown.textContent = wanted;
  summarize();
}

/** Screen readers hear what [data-live-summary] says, at most every ten seconds. */
function summarize() {
  const words = document.querySelector("[data-live-summary]")?.textContent.trim();
  if (!words || words === summarized) return;
  if (performance.now() - summarizedAt < SUMMARY_PAUSE_MS) return;
  // What stands there when the page opens is read anyway.
  if (summarized) document.getElementById("live-summary").textContent = words;
  summarized = words;
  summarizedAt = performance.now();
}
