// Keys: "/" focuses search, "?" lists the keys, "g o", "g p", "n" go somewhere.
const places = { o: "/", p: "/plans/" };
let going = 0;

document.getElementById("keys-button")?.addEventListener("click", show);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const search = document.getElementById("search");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    show();
  } else if (event.key === "n") {
    location.assign("/plans/new/");
  } else if (event.key === "g") {
    going = event.timeStamp;
  } else if (event.key in places && event.timeStamp - going < 1000) {
    location.assign(places[event.key]);
  }
});

function show() {
  document.getElementById("keys").showModal();
}

function isTyping(element) {
  return element.matches?.("input, textarea, select, [contenteditable]");
}
