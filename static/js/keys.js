// Keys: "/" focuses search, "?" lists the keys, "g o", "g p", "n" go somewhere.
const places = { o: "/", p: "/plans/" };
const keys = document.getElementById("keys");
let going = -Infinity;

document.getElementById("keys-button")?.addEventListener("click", () => keys.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  const search = document.getElementById("search");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") keys.showModal();
  else if (event.key === "n") location.assign("/plans/new/");
  else if (event.key === "g") going = event.timeStamp;
  else if (event.key in places && event.timeStamp - going < 1000) {
    location.assign(places[event.key]);
  }
});
