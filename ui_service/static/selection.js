// Selecting rows: all at once, the count, and j, k, x on the keyboard. The form itself works without this.
const rows = document.getElementById("rows");
const all = document.getElementById("all");
const count = document.getElementById("selected");
const boxes = () => [...rows.querySelectorAll('input[name="study"]')];

function show() {
  const chosen = boxes().filter((box) => box.checked).length;
  count.value = `${chosen} selected`;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

all.addEventListener("change", () => {
  for (const box of boxes()) box.checked = all.checked;
  show();
});
rows.addEventListener("change", show);
addEventListener("pageshow", show);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, textarea, input:not([type=checkbox])")) return;
  if (document.querySelector("dialog[open]")) return;
  const here = event.target.closest?.("#rows tr");
  if (event.key === "j") step(here, "nextElementSibling", rows.firstElementChild);
  else if (event.key === "k") step(here, "previousElementSibling", rows.lastElementChild);
  else if (event.key === "x" && here) here.querySelector('input[name="study"]').click();
});

function step(here, direction, start) {
  const row = here ? here[direction] : start;
  row?.querySelector(".reference a").focus();
}
