// The live stream is a hint, polling the guarantee: while the stream is down, unfinished rows ask for themselves
// (hx-trigger="reread from:body"), and once more when it opens, for what was missed.
const POLL_MS = 4000;
const interrupted = document.getElementById("link");
let timer = null;

const reread = () => htmx.trigger(document.body, "reread");

document.addEventListener("htmx:sseError", () => {
  interrupted.hidden = false;
  timer ??= setInterval(reread, POLL_MS);
});

// On the first opening too: something may have happened between the page and its stream.
document.addEventListener("htmx:sseOpen", () => {
  clearInterval(timer);
  timer = null;
  interrupted.hidden = true;
  reread();
});

// A swap may take away the button that has the focus: give it to the nearest thing that stays.
let orphaned = null;
const remember = (event) => {
  const focused = document.activeElement;
  if (focused !== document.body && event.target.contains(focused)) orphaned = event.target.closest("tr, .side");
};
document.addEventListener("htmx:beforeSwap", remember);
document.addEventListener("htmx:sseBeforeMessage", remember);
document.addEventListener("htmx:afterSettle", () => {
  if (orphaned && document.activeElement === document.body) orphaned.querySelector("td.reference a, #said")?.focus();
  orphaned = null;
});

// Signing out ends the stream on the server. Closed here first, it does not ask again without a session.
let stream = null;
const connect = htmx.createEventSource;
htmx.createEventSource = (url) => {
  stream = connect(url);
  stream.addEventListener("ended", reread); // whoever ended the session elsewhere: the answer leads to sign-in
  return stream;
};
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-leave]")) return;
  clearInterval(timer);
  stream?.close();
});
