// Asks for outlines and earlier answers, and tells how far it is: the answer comes into its place beside the image by
// the live stream or by polling, as every other does.
const SLOW_MS = 1000; // what takes longer shows its progress
const find = (id) => document.getElementById(id);
const CODES = { failed: "There is no outline.", cancelled: "Stopped before there was an outline." };

export class Ask {
  // `heard.answered` is told of each change of the answer, `heard.refused` when a question was not taken.
  constructor(heard) {
    this.heard = heard;
    this.form = find("ask");
    this.place = find("again");
    this.asked = false; // a question is on its way
    this.slow = false;
    for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
      for (const form of [this.form, this.place]) form.addEventListener(name, () => this.#refuse(form));
    }
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.target.id !== "answer") return;
      if ([this.form, this.place].includes(event.detail.requestConfig?.elt)) this.asked = false;
      if (this.asked) return; // news of the answer that is about to go
      this.#tell();
      heard.answered();
    });
  }

  // The run whose answer stands in its place.
  get job() {
    return find("answer").dataset.job ?? "";
  }

  get state() {
    return find("answer").querySelector("[data-state]")?.dataset.state ?? "";
  }

  get done() {
    return !this.asked && this.state === "succeeded" && find("answer").querySelector("[data-prompted]") !== null;
  }

  // `base` is the run whose mask may be corrected. A run that still waits or works is called off.
  outline(prompts, base) {
    const { prompts: boxes, instead, base: corrected } = this.form.elements;
    boxes.value = JSON.stringify(prompts);
    const drawn = find("answer").querySelector("[data-prompted]");
    instead.value = drawn && ["queued", "running"].includes(this.state) ? this.job : "";
    corrected.value = base;
    const toggle = find("toggle");
    if (!toggle.disabled && toggle.getAttribute("aria-pressed") === "false") toggle.click(); // who draws wants to see
    this.#send(this.form);
  }

  // Shows an earlier run's answer again; without `job` none.
  again(job, base) {
    this.place.elements.job.value = job;
    this.place.elements.base.value = base;
    this.#send(this.place);
  }

  // Puts what the boxes brought in the place of the model's own mask; `done` is told once that has happened.
  correct(done) {
    const form = find("correct");
    form.elements.from_job.value = this.job;
    form.addEventListener("htmx:afterRequest", ({ detail }) => detail.successful && done(), { once: true });
    htmx.trigger(form, "ask");
  }

  notices() {
    return [...find("answer").querySelectorAll("[data-notice]")].map((each) => each.textContent.trim());
  }

  say(text) {
    find("outline-state").textContent = text;
  }

  #send(form) {
    find("problems").replaceChildren();
    clearTimeout(this.timer);
    this.asked = true;
    this.slow = false;
    this.say("");
    this.timer = setTimeout(() => {
      this.slow = true;
      this.#tell();
    }, SLOW_MS);
    htmx.trigger(form, "ask");
    this.#tell();
  }

  #tell() {
    const working = this.asked || ["queued", "running"].includes(this.state);
    const progress = find("outline-progress");
    progress.hidden = !working || !this.slow;
    const far = find("answer").querySelector("[data-progress]")?.dataset.progress;
    if (far === undefined || this.asked) progress.removeAttribute("value");
    else progress.value = Number(far);
    if (!working) clearTimeout(this.timer);
    if (working && this.slow) this.say("Outlining …");
    else if (CODES[this.state] && find("answer").querySelector("[data-prompted]")) this.say(CODES[this.state]);
  }

  #refuse(form) {
    clearTimeout(this.timer);
    this.asked = false;
    this.#tell();
    if (form === this.form) this.heard.refused();
    this.say(form === this.form ? "The box was not outlined. Please draw it again." : "The earlier answer could not be shown.");
  }
}
