// The labels that boxes carry: a number, a name, a colour. Names stay in this tab until the doctor signs out; where a
// model's mask is to be corrected, the labels are that mask's structures.
import { colourCount } from "./structures.js";

const select = document.getElementById("label");
const field = document.getElementById("label-name");
const more = document.getElementById("label-new");
const hue = document.getElementById("label-hue");

export class Labels {
  // `given` holds the structures of the mask to be corrected; `changed` hears of a new name.
  constructor(study, given, changed) {
    const fixed = [...(given?.querySelectorAll("[data-label]") ?? [])];
    this.kept = `labels ${study}`;
    this.fixed = fixed.length > 0;
    this.names = this.fixed ? fixed.map(named) : this.#remembered();
    field.hidden = more.hidden = this.fixed;
    select.addEventListener("change", () => this.#show());
    field.addEventListener("input", () => {
      this.names[select.selectedIndex].name = field.value.trim() || `Object ${this.number}`;
      this.#list();
      changed();
    });
    more.addEventListener("click", () => {
      this.#add(Math.max(...this.names.map((each) => each.number)) + 1);
      select.selectedIndex = this.names.length - 1;
      this.#show();
      field.focus();
      field.select();
    });
    this.#list();
    this.#show();
  }

  // The label that the next box gets.
  get number() {
    return this.names[Math.max(select.selectedIndex, 0)].number;
  }

  name(number) {
    return this.names.find((each) => each.number === number)?.name ?? `Object ${number}`;
  }

  // Boxes that came back with the page may have labels that nobody has named in this tab.
  know(numbers) {
    for (const number of numbers) if (!this.names.some((each) => each.number === number)) this.#add(number);
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

  #add(number) {
    this.names.push({ number, name: `Object ${number}` });
    this.#list();
  }

  #list() {
    const chosen = Math.max(select.selectedIndex, 0);
    select.replaceChildren(...this.names.map(({ number, name }) => new Option(name, number)));
    select.selectedIndex = chosen;
    more.disabled = this.names.length >= colourCount; // each its own colour
    if (!this.fixed) sessionStorage.setItem(this.kept, JSON.stringify(this.names));
  }

  #show() {
    hue.className = `swatch hue-${((this.number - 1) % colourCount) + 1}`;
    field.value = this.name(this.number);
  }

  #remembered() {
    const kept = sessionStorage.getItem(this.kept);
    return kept ? JSON.parse(kept) : [{ number: 1, name: "Object 1" }];
  }
}

function named(element) {
  return { number: Number(element.dataset.label), name: element.textContent };
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-leave]")) sessionStorage.clear();
});
