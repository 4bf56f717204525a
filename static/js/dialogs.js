// Confirmations come by htmx into one dialog; without scripts they are pages of their own.
const dialog = document.getElementById("dialog");
const alerts = document.getElementById("alerts");

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target === dialog && !dialog.open) dialog.showModal();
});

document.addEventListener("htmx:afterRequest", ({ target: asked, detail }) => {
  if (detail.requestConfig.verb !== "post" || !asked.closest?.("#dialog form")) return;
  if (detail.target !== dialog || !detail.successful) dialog.close();
  if (detail.successful) alerts.replaceChildren();
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  // Whoever only looks, or opens a confirmation, has asked for nothing to be done.
  say(alerts.dataset[detail.requestConfig.verb === "get" ? "noPage" : "noAnswer"]);
  dialog.close();
});

// Before anybody else hears of the click.
document.addEventListener("click", (event) => {
  if (!event.target.closest("body[data-may-operate='false'] .act")) return;
  event.preventDefault();
  event.stopPropagation();
  say(document.getElementById("may-not-operate").textContent);
}, true);

document.addEventListener("click", (event) => {
  const closing = event.target.closest("dialog [data-close]");
  if (closing) {
    event.preventDefault();
    dialog.close();
    document.getElementById(closing.dataset.refresh)?.dispatchEvent(new Event("live:refresh"));
  } else if (event.target instanceof HTMLDialogElement) {
    event.target.close(); // The backdrop.
  }
});

function say(textContent) {
  const alert = document.createElement("div");
  alerts.replaceChildren(Object.assign(alert, { className: "alert", role: "alert", textContent }));
}
