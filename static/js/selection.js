// How many rows are ticked; ticking one means "the selected ones".
document.addEventListener("change", ({ target }) => {
  if (target.name !== "task") return;
  const scope = document.querySelector("#bulk input[name=scope][value=selected]");
  if (scope) scope.checked = true;
  count();
});
document.addEventListener("htmx:afterSettle", count);
count();

function count() {
  const shown = document.getElementById("selection-count");
  if (shown) shown.textContent = document.querySelectorAll("#bulk input[name=task]:checked").length;
}
