// On the new plan's form: a preset is written into the field of the waves.
document.addEventListener("click", ({ target }) => {
  const preset = target.closest("[data-waves]");
  if (!preset) return;
  const { waves } = preset.form.elements;
  waves.value = preset.dataset.waves;
  waves.dispatchEvent(new Event("input", { bubbles: true }));
});
