// Confirmations come by htmx into one dialog; without scripts they are pages of their own.
const dialog = document.getElementById("dialog");
const alerts = document.getElementById("alerts");
const mayOperate = () => document.body.dataset.mayOperate === "true";

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === dialog && !dialog.open) dialog.showModal();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.closest(".act") && !mayOperate()) {
    event.preventDefault();
    say(document.getElementById("may-not-operate").textContent);
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, successful, target } = event.detail;
  if (requestConfig.verb !== "post" || !event.target.closest?.("#dialog form")) return;
  if (target !== dialog || !successful) dialog.close();
  if (successful) alerts.replaceChildren();
});

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => {
    alerts.replaceChildren(document.getElementById("no-answer").content.cloneNode(true));
    if (dialog.open) dialog.close();
  });
}

document.addEventListener("click", (event) => {
  const act = event.target.closest("body[data-may-operate='false'] .act");
  if (act) {
    event.preventDefault();
    say(document.getElementById("may-not-operate").textContent);
    return;
  }
  const closing = event.target.closest("dialog [data-close]");
  if (closing) {
    event.preventDefault();
    dialog.close();
    const stale = document.getElementById(closing.dataset.refresh ?? "");
    if (stale) stale.dispatchEvent(new CustomEvent("live:refresh"));
  } else if (event.target instanceof HTMLDialogElement) {
    event.target.close(); // The backdrop.
  }
});

function say(text) {
  const alert = document.createElement("div");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  alert.textContent = text;
  alerts.replaceChildren(alert);
}
