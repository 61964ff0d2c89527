// A shared link's code stands behind the # of its address, which browsers send to no server: it goes into the form.
const field = document.querySelector("[data-link-code]");
if (field && location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  field.form.querySelector("button").focus();
}
// Who has to sign in first takes it along: a redirect keeps what stands behind the #.
const entry = document.querySelector("[data-keeps-code]");
if (entry && location.hash.length > 1) entry.action += location.hash;
