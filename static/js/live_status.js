/* Says how old the page's truth is. The words are data attributes of #live-status, so that the
   server translates them: data-live, data-reconnecting, data-behind ("%s s behind"), data-off,
   data-refused, and data-refused-4401 and so on for a word about one code. */

const BEHIND_AFTER_MS = 10_000;
const SUMMARY_PAUSE_MS = 10_000;

export class LiveStatus {
  #state = "reconnecting";
  #words = "";
  #code = 0;
  #heardAt = performance.now();
  #summarizedAt = -Infinity;

  constructor() {
    setInterval(() => this.#show(), 1000);
    this.#show();
  }

  get isRefused() {
    return this.#state === "refused";
  }

  /** Milliseconds since the server last said that the page is true, or since it was asked. */
  get silentMs() {
    return performance.now() - this.#heardAt;
  }

  heard() {
    this.#heardAt = performance.now();
    this.#state = "live";
    this.#show();
  }

  away() {
    if (!this.isRefused) this.#state = "reconnecting";
    this.#show();
  }

  refused(code) {
    this.#state = "refused";
    this.#code = code;
    this.#show();
  }

  off() {
    this.#state = "off";
    this.#show();
  }

  #show() {
    const shown = document.getElementById("live-status");
    if (shown) {
      const [state, words] = this.#describe(shown.dataset);
      if (shown.dataset.state !== state) shown.dataset.state = state;
      if (shown.textContent !== words) shown.textContent = words;
    }
    this.#summarize();
  }

  #describe(words) {
    if (this.#state === "off") return ["off", words.off ?? ""];
    if (this.isRefused) return ["refused", words[`refused-${this.#code}`] ?? words.refused ?? ""];
    const isOld = this.silentMs > BEHIND_AFTER_MS;
    const age = isOld ? (words.behind ?? "%s s").replace("%s", Math.round(this.silentMs / 1000)) : "";
    if (this.#state === "live") return isOld ? ["behind", age] : ["live", words.live ?? ""];
    return ["reconnecting", [words.reconnecting ?? "", age].filter(Boolean).join(", ")];
  }

  /** Screen readers hear what [data-live-summary] says, at most every ten seconds. */
  #summarize() {
    const summary = document.getElementById("live-summary");
    const words = document.querySelector("[data-live-summary]")?.textContent.trim();
    if (!summary || !words || words === this.#words) return;
    if (performance.now() - this.#summarizedAt < SUMMARY_PAUSE_MS) return;
    // What stands there when the page opens is read anyway.
    if (this.#words) summary.textContent = words;
    this.#words = words;
    this.#summarizedAt = performance.now();
  }
}
