// Keys are written where they act: data-key="j" on a link or button, data-focus-key="/" on a field.
function typing(element) {
  if (element.matches("textarea, select")) return true;
  return element.matches("input") && !["checkbox", "range"].includes(element.type);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  // Space and Enter belong to the control that has the focus.
  if ([" ", "Enter"].includes(event.key) && event.target.matches("a, button, input, summary")) return;
  const key = CSS.escape(event.key);
  const field = document.querySelector(`[data-focus-key="${key}"]`);
  const control = document.querySelector(`[data-key="${key}"]:not(:disabled)`);
  if (!field && !control) return;
  event.preventDefault();
  if (field) field.focus();
  else control.click();
});
