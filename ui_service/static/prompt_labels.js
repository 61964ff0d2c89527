// The labels that boxes carry: a number, a name, a colour. Names stay in this tab until the doctor signs out. Where a
// model's mask may be corrected, its structures are labels too, and the doctor's own are numbered after them.
import { colourCount } from "./structures.js";

const select = document.getElementById("label");
const field = document.getElementById("label-name");
const more = document.getElementById("label-new");
const hue = document.getElementById("label-hue");

export class Labels {
  // `given` holds the structures of the mask to be corrected; `changed` hears of a new name.
  constructor(study, given, changed) {
    this.kept = `labels ${study} ${given?.dataset.base ?? ""}`;
    this.fixed = [...(given?.querySelectorAll("[data-label]") ?? [])].map(named);
    this.after = Math.max(0, ...this.fixed.map(({ number }) => number));
    this.own = this.#remembered();
    this.chosen = this.own[0].number; // the label that the next box gets
    select.addEventListener("change", () => this.#choose(Number(select.value)));
    field.addEventListener("input", () => {
      this.own.find((each) => each.number === this.chosen).name = field.value.trim() || this.#plain(this.chosen);
      this.#list();
      changed();
    });
    more.addEventListener("click", () => {
      this.#add(this.own.at(-1).number + 1);
      this.#choose(this.own.at(-1).number);
      field.focus();
      field.select();
    });
    this.#list();
    this.#choose(this.chosen);
  }

  name(number) {
    return [...this.fixed, ...this.own].find((each) => each.number === number)?.name ?? this.#plain(number);
  }

  // True for a structure of the mask that may be corrected.
  corrects(number) {
    return this.fixed.some((each) => each.number === number);
  }

  // Boxes that came back with the page may have labels that nobody has named in this tab.
  know(numbers) {
    for (const number of numbers.sort((a, b) => a - b)) {
      if (![...this.fixed, ...this.own].some((each) => each.number === number)) this.#add(number);
    }
  }

  // The answer's own table says "object": the names that the boxes have stand there as well.
  rename(answer) {
    if (!answer?.querySelector("[data-prompted]")) return;
    const found = [...answer.querySelectorAll("[data-structure]")];
    const names = found.filter((box) => !box.disabled).map((box) => this.name(Number(box.dataset.structure)));
    const said = answer.querySelector("#said-text");
    if (said && names.length) said.textContent = `${names.join(", ")} outlined`;
    for (const box of found) {
      const name = this.name(Number(box.dataset.structure));
      box.dataset.name = name;
      box.setAttribute("aria-label", `Show ${name} in the viewer`);
      answer.querySelector(`label[for="${box.id}"]`).textContent = name;
    }
  }

  #plain(number) {
    return `Object ${number - this.after}`;
  }

  #add(number) {
    this.own.push({ number, name: this.#plain(number) });
    this.own.sort((one, other) => one.number - other.number);
    this.#list();
  }

  #list() {
    select.replaceChildren(...[...this.fixed, ...this.own].map(({ number, name }) => new Option(name, number)));
    select.value = this.chosen;
    more.disabled = this.own.length >= colourCount; // each its own colour
    sessionStorage.setItem(this.kept, JSON.stringify(this.own));
  }

  #choose(number) {
    this.chosen = number;
    select.value = number;
    hue.className = `swatch hue-${((number - 1) % colourCount) + 1}`;
    field.value = this.name(number);
    field.hidden = this.corrects(number);
  }

  #remembered() {
    const kept = sessionStorage.getItem(this.kept);
    return kept ? JSON.parse(kept) : [{ number: this.after + 1, name: this.#plain(this.after + 1) }];
  }
}

function named(element) {
  return { number: Number(element.dataset.label), name: element.textContent };
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-leave]")) sessionStorage.clear();
});
