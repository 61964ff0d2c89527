// Boxes over a picture: drawn with mouse or finger, sized by their corners, moved and sized with the arrow keys.
// A box is [x0, y0, x1, y1], inclusive indices of pixels; `plane` says where they lie on the screen (prompt_image.js,
// prompt_volume.js). `heard` is told of what the doctor does.
import { colourOfStructure } from "./structures.js";

const CLICK_PX = 4; // on the screen: less is no box
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CORNERS = ["0 1", "2 1", "0 3", "2 3"]; // which of the four numbers a corner has

// Two places as one box, in the picture, at least two pixels wide and high.
export function boxOf(one, other, sides) {
  const spans = sides.map((side, axis) => {
    const low = Math.min(Math.max(Math.floor(Math.min(one[axis], other[axis])), 0), side - 2);
    const high = Math.min(Math.ceil(Math.max(one[axis], other[axis])) - 1, side - 1);
    return [low, Math.max(high, low + 1)];
  });
  return [spans[0][0], spans[1][0], spans[0][1], spans[1][1]];
}

export class Boxes {
  constructor(canvas, plane, heard) {
    this.canvas = canvas;
    this.plane = plane;
    this.heard = heard;
    this.layer = document.getElementById("boxes");
    this.draft = made("div", "box draft");
    this.shown = []; // what `show` was given, each with its element
    this.held = null; // the pointer that draws: where it began, and the corner that it moves
    this.on = false;
    this.#listen();
  }

  turn(on) {
    this.on = on;
    this.layer.hidden = !on;
    if (on) this.#place();
  }

  // Each with `box`, `label`, `name`, `slices`, `said`, and whether it is still `open`: not yet outlined.
  show(boxes) {
    const focused = this.shown.findIndex(({ element }) => element === document.activeElement);
    this.shown = boxes.map((each) => ({ ...each, element: this.#element(each) }));
    this.layer.replaceChildren(this.draft, ...this.shown.map(({ element }) => element));
    this.#put();
    this.focus(Math.min(focused, boxes.length - 1));
  }

  focus(number) {
    this.shown[number]?.element.focus({ preventScroll: true });
  }

  get focused() {
    return this.shown.findIndex(({ element }) => element === document.activeElement);
  }

  #element({ label, name, said, open }) {
    const element = made("button", open ? "box open" : "box");
    element.type = "button";
    element.style.color = `rgb(${colourOfStructure(label).join(" ")})`;
    element.setAttribute("aria-label", said);
    element.setAttribute("aria-describedby", "box-keys");
    const tag = made("span", "tag");
    tag.textContent = name;
    element.append(tag, ...CORNERS.map((corner) => Object.assign(made("span", "grip"), { title: "Size the box" })));
    for (const [number, grip] of [...element.querySelectorAll(".grip")].entries()) grip.dataset.corner = CORNERS[number];
    return element;
  }

  // The picture may move under the boxes at any time: they follow with each frame.
  #place = () => {
    if (!this.on) return;
    this.#put();
    requestAnimationFrame(this.#place);
  };

  #put() {
    const area = this.plane.area();
    this.layer.hidden = !area || !this.on;
    if (!area) return;
    lay(this.layer, area);
    const slice = this.plane.slice();
    this.heard.placed(slice);
    for (const { element, box, slices } of this.shown) {
      element.hidden = slices !== null && (slice < slices[0] || slice > slices[1]);
      if (!element.hidden) lay(element, this.plane.rect(box));
    }
    this.draft.hidden = !this.held?.moved;
    if (this.held?.moved) lay(this.draft, this.plane.rect(this.#heldBox()));
  }

  #listen() {
    const { layer } = this;
    layer.addEventListener("pointerdown", (event) => this.#press(event));
    layer.addEventListener("pointermove", (event) => this.#drag(event));
    layer.addEventListener("pointerup", (event) => this.#release(event));
    layer.addEventListener("pointercancel", () => (this.held = null));
    layer.addEventListener("mousedown", (event) => event.preventDefault()); // a box keeps the focus while it is sized
    layer.addEventListener("keydown", (event) => this.#key(event));
    layer.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.canvas.dispatchEvent(new WheelEvent("wheel", event)); // zoom and slices as ever
    }, { passive: false });
  }

  #press(event) {
    if (event.button === 1 || event.shiftKey) this.canvas.dispatchEvent(new PointerEvent("pointerdown", event)); // move
    if (event.button !== 0 || event.shiftKey || this.held) return;
    this.layer.setPointerCapture(event.pointerId);
    const number = this.shown.findIndex(({ element }) => element.contains(event.target));
    const corner = event.target.dataset.corner?.split(" ").map(Number);
    const start = { x: event.clientX, y: event.clientY };
    this.held = { id: event.pointerId, start, from: this.#at(event), to: this.#at(event), number, corner, moved: false };
  }

  #drag(event) {
    const { held } = this;
    if (held?.id !== event.pointerId) return;
    held.to = this.#at(event);
    held.moved ||= Math.max(Math.abs(event.clientX - held.start.x), Math.abs(event.clientY - held.start.y)) >= CLICK_PX;
  }

  #release(event) {
    const { held } = this;
    if (held?.id !== event.pointerId) return;
    this.#drag(event);
    const box = this.#heldBox();
    this.held = null;
    if (!held.moved) this.focus(held.number);
    else if (held.corner) this.heard.changed(held.number, box, true);
    else this.heard.drawn(box);
  }

  // The box that the held pointer has drawn so far, or the one it sizes as it would be.
  #heldBox() {
    const { from, to, number, corner } = this.held;
    if (!corner) return boxOf(from, to, this.plane.sides);
    const { box } = this.shown[number];
    const [x, y] = corner;
    const fixed = [x === 0 ? box[2] + 1 : box[0], y === 1 ? box[3] + 1 : box[1]]; // the corner across
    return boxOf(fixed, to, this.plane.sides);
  }

  #at(event) {
    const frame = this.layer.getBoundingClientRect();
    return this.plane.at(event.clientX - frame.left, event.clientY - frame.top);
  }

  #key(event) {
    const number = this.focused;
    if (number < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.heard.changed(number, this.#moved(this.shown[number].box, arrow, event), false);
    else if (event.key === "Enter") this.heard.settled();
    else if (event.key === " ") document.getElementById("toggle").click(); // the mask, as anywhere on the page
    else if (event.key === "Delete" || event.key === "Backspace") this.heard.removed(number);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // One pixel of the screen at a time, a hundredth of the picture while the key is held down.
  #moved([x0, y0, x1, y1], [right, down], event) {
    const [width, height] = this.plane.sides;
    const here = this.plane.rect([0, 0, width - 1, height - 1]);
    const step = Math.max(1, Math.round(event.repeat ? Math.max(width, height) / 100 : width / here.width));
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    if (event.shiftKey) return [x0, y0, within(x1 + right * step, x0 + 1, width - 1), within(y1 + down * step, y0 + 1, height - 1)];
    const [x, y] = [within(right * step, -x0, width - 1 - x1), within(down * step, -y0, height - 1 - y1)];
    return [x0 + x, y0 + y, x1 + x, y1 + y];
  }
}

function made(kind, classes) {
  return Object.assign(document.createElement(kind), { className: classes });
}

function lay(element, place) {
  for (const side of ["left", "top", "width", "height"]) element.style[side] = `${place[side].toFixed(1)}px`;
}
