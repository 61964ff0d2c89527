// The outline tool of a study page: every box that is drawn is outlined at once, together with the others, by a model
// that takes boxes; undo shows the answer before it again. Boxes live in this page and in the runs that they brought.
import { Ask } from "./prompt_ask.js";
import { Boxes, boxOf } from "./prompt_boxes.js";
import { Labels } from "./prompt_labels.js";
import { showButtons } from "./prompt_tools.js";
import { fromWire, joined, saidOf, toWire } from "./prompt_wire.js";

const PAUSE_MS = 800; // after the last arrow key
const MOST = 64; // boxes of one run, as App takes them
const find = (id) => document.getElementById(id);

export function offerOutlining(canvas, plane) {
  if (find("outline")) new Outlining(canvas, plane);
}

class Outlining {
  constructor(canvas, plane) {
    this.plane = plane;
    this.base = find("correct")?.dataset.base ?? ""; // the run whose mask the boxes may correct
    this.labels = new Labels(find("outline").dataset.study, find("correct"), () => this.#render());
    this.ask = new Ask({ answered: () => this.#answered(), refused: () => this.#refused() });
    this.boxes = new Boxes(canvas, plane, {
      placed: (slice) => this.#tellSlice(slice),
      drawn: (box) => this.#drawn(box),
      changed: (number, box, done) => this.#changed(number, box, done),
      settled: () => this.#settle(),
      removed: (number) => this.#removed(number),
    });
    this.#begin();
    this.#listen();
  }

  // What the page came with: the boxes of the run that it shows, and before them the answer without any.
  #begin() {
    const came = JSON.parse(find("drawn")?.dataset.prompts ?? "[]").map(fromWire);
    this.states = [{ drawn: [], job: came.length ? this.base : this.ask.job }];
    if (came.length) this.states.push({ drawn: came, job: this.ask.job });
    this.labels.know(came.map(({ label }) => label));
    this.labels.rename(find("answer"));
    this.#clear();
    find("outline-toggle").disabled = false;
    if (came.length) this.#turn(true);
  }

  #listen() {
    find("outline-toggle").addEventListener("click", () => this.#turn(!this.boxes.on));
    find("box-new").addEventListener("click", () => this.#fresh());
    find("box-undo").addEventListener("click", () => this.#undo());
    for (const button of document.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => this.plane.turn(Number(button.dataset.turn)));
    }
    find("box-redraw").addEventListener("click", () => this.#redraw());
    find("box-correct").addEventListener("click", () => this.ask.correct(() => this.#corrected()));
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.target.id === "answer") this.labels.rename(event.target);
      if (event.target.id === "review") this.#buttons();
    });
  }

  #turn(on) {
    find("outline").hidden = find("outline").disabled = !on;
    find("outline-toggle").setAttribute("aria-pressed", String(on));
    dispatchEvent(new Event("resize")); // the picture has less room, or more
    if (on) this.plane.enter();
    this.boxes.turn(on);
    this.#render();
    if (on && !this.drawn.length) this.ask.say("Draw a box round what is to be outlined, or press n for one.");
  }

  // Shows the last state's boxes, and drops what was begun.
  #clear() {
    this.drawn = this.states.at(-1).drawn;
    this.waiting = null; // the first box of two that hold a range of slices
    this.fresh = null; // a box of the keyboard that has not been outlined
    this.redrawn = -1; // the box that the next one replaces
    clearTimeout(this.pause);
    this.#render();
  }

  #render() {
    const open = [this.waiting, this.fresh].filter(Boolean);
    const all = [...this.drawn, ...open];
    this.boxes.show(
      all.map((each, number) => {
        const name = this.labels.name(each.label);
        const said = `Box ${number + 1} of ${all.length}, ${saidOf(each, name)}`;
        return { ...each, name, said, open: open.includes(each) || number === this.redrawn };
      }),
    );
    this.#buttons();
  }

  #buttons() {
    const begun = this.waiting !== null || this.fresh !== null;
    showButtons({
      drawn: this.drawn.length > 0,
      undoable: this.states.length > 1 || begun,
      redrawing: this.redrawn >= 0,
      done: this.ask.done,
      correctable: this.base !== "" && this.drawn.every(({ label }) => this.labels.corrects(label)),
    });
  }

  #drawn(box) {
    const slice = this.plane.slice();
    const reach = find("reach")?.value;
    const slices = slice === null ? null : [slice, slice];
    let made = { box, slices, label: this.labels.chosen, through: reach === "through" };
    let next = [...this.drawn, made];
    if (this.redrawn >= 0) {
      const before = this.drawn[this.redrawn];
      const range = before.slices && before.slices[0] < before.slices[1];
      made = { ...before, box, slices: range ? before.slices : slices };
      next = this.drawn.with(this.redrawn, made);
    } else if (this.drawn.length >= MOST) {
      return this.ask.say(`At most ${MOST} boxes are outlined together.`);
    } else if (reach === "between") {
      const first = this.waiting;
      if (first?.label !== made.label || first.slices[0] === slice) return this.#wait(made);
      next = [...this.drawn, joined(first, made)];
    }
    this.#outline(next);
    this.boxes.focus(next.length - 1);
  }

  #wait(made) {
    this.waiting = made;
    this.fresh = null;
    this.ask.say("Now go to the other slice and draw the box there.");
    this.#render();
  }

  #fresh() {
    const { width, height } = this.plane.area();
    const ends = [this.plane.at(width * 0.375, height * 0.375), this.plane.at(width * 0.625, height * 0.625)];
    const slice = this.plane.slice();
    const slices = slice === null ? null : [slice, slice];
    this.fresh = { box: boxOf(...ends, this.plane.sides), slices, label: this.labels.chosen, through: false };
    this.#render();
    this.boxes.focus(this.boxes.shown.length - 1);
    this.ask.say("A box stands in the middle. Enter outlines it.");
  }

  #changed(number, box, done) {
    const open = [this.waiting, this.fresh].filter(Boolean)[number - this.drawn.length];
    clearTimeout(this.pause);
    if (open) open.box = box;
    else this.drawn = this.drawn.with(number, { ...this.drawn[number], box });
    this.#render();
    this.ask.say(this.boxes.shown[number].said);
    if (open) return;
    if (done) this.#outline(this.drawn);
    else this.pause = setTimeout(() => this.#outline(this.drawn), PAUSE_MS);
  }

  #settle() {
    if (this.fresh && this.boxes.focused === this.boxes.shown.length - 1) return this.#drawn(this.fresh.box);
    if (this.drawn !== this.states.at(-1).drawn) this.#outline(this.drawn);
  }

  #removed(number) {
    if (number < this.drawn.length) this.#outline(this.drawn.toSpliced(number, 1));
    else this.#clear();
  }

  #outline(drawn) {
    this.states.push({ drawn, job: null });
    this.#clear();
    if (drawn.length) this.ask.outline(drawn.map(toWire), this.base);
    else this.ask.again(this.states[0].job, "");
  }

  #undo() {
    const begun = this.waiting || this.fresh || this.drawn !== this.states.at(-1).drawn;
    if (!begun) this.states.pop();
    this.#clear();
    if (begun) return;
    const { drawn, job } = this.states.at(-1);
    if (drawn.length && !job) this.ask.outline(drawn.map(toWire), this.base);
    else this.ask.again(job, drawn.length ? this.base : "");
  }

  #redraw() {
    const chosen = this.boxes.focused;
    const last = this.drawn.length - 1;
    this.redrawn = this.redrawn >= 0 ? -1 : chosen >= 0 && chosen <= last ? chosen : last;
    this.#render();
    if (this.redrawn >= 0) this.ask.say(`Draw box ${this.redrawn + 1} anew.`);
  }

  #answered() {
    this.states.at(-1).job = this.ask.job;
    const names = [...new Set(this.drawn.map(({ label }) => this.labels.name(label)))];
    if (this.ask.done && this.drawn.length) this.ask.say([`Outlined: ${names.join(", ")}.`, ...this.ask.notices()].join(" "));
    this.#buttons();
  }

  #refused() {
    this.states.pop();
    this.#clear();
  }

  #corrected() {
    this.states = [{ drawn: [], job: this.base }];
    this.#clear();
    this.#turn(false);
    find("announcer").textContent = "The corrected mask is shown. The model’s own is kept beside it.";
  }

  #tellSlice(slice) {
    const said = slice === null ? "" : `Slice ${slice + 1} of ${this.plane.slices}`;
    if (said && find("slice").textContent !== said) find("slice").textContent = said;
  }
}
