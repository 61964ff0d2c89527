// Times come as UTC; show them in the reader's own zone, with the day when it is not today.
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const today = moment.toDateString() === new Date().toDateString();
    time.textContent = today ? clock.format(moment) : `${day.format(moment)} ${clock.format(moment)}`;
    time.title = moment.toLocaleString("en-GB", { timeZoneName: "short" });
  }
}

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.detail.elt.parentElement ?? event.detail.elt));
