// Relative times grow old on an open page: count them on.
const units = [["day", 86400, 172800], ["hour", 3600, 3600], ["minute", 60, 60], ["second", 1, 0]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short", numeric: "always" });

setInterval(() => {
  if (document.hidden) return;
  for (const shown of document.querySelectorAll("time[datetime] > .ago")) {
    const seconds = (Date.parse(shown.parentElement.dateTime) - Date.now()) / 1000;
    const [unit, size] = units.find(([, , from]) => Math.abs(seconds) >= from);
    const text = words.format(Math.trunc(seconds / size), unit);
    if (shown.textContent !== text) shown.textContent = text;
  }
}, 1000);
