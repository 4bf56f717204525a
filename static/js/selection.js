// How many rows are ticked; ticking one means "the selected ones".
document.addEventListener("change", ({ target }) => {
  const scope = document.querySelector("#bulk input[name=scope][value=selected]");
  if (target.name === "task" && scope) scope.checked = true;
  count();
});
document.addEventListener("htmx:afterSettle", count);
count();

function count() {
  const shown = document.getElementById("selection-count");
  if (shown) shown.textContent = document.querySelectorAll("#bulk input[name=task]:checked").length;
}
