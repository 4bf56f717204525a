// On the new plan's form: ticks go into the list of ids, presets into the waves.
const form = document.getElementById("plan-form");
const list = document.getElementById("tenants");

if (form) {
  document.getElementById("wave-presets").hidden = false;
  form.addEventListener("change", (event) => {
    if (event.target.name === "pick") toggle(event.target.value, event.target.checked);
  });
  form.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-waves]");
    if (!preset) return;
    form.elements.waves.value = preset.dataset.waves;
    form.elements.waves.dispatchEvent(new Event("input", { bubbles: true }));
  });
  list.addEventListener("input", tick);
  document.addEventListener("htmx:afterSwap", tick);
  tick();
}

function ids() {
  return list.value.split(/[\s,;]+/).filter(Boolean);
}

function toggle(id, isIn) {
  const others = ids().filter((each) => each !== id);
  list.value = (isIn ? [...others, id] : others).join("\n");
  tick();
}

function tick() {
  const chosen = new Set(ids());
  for (const box of form.querySelectorAll("input[name=pick]")) box.checked = chosen.has(box.value);
  document.getElementById("tenant-count").textContent = chosen.size || "";
}
