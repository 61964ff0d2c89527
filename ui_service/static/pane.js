// One canvas of a viewer: the picture, and over it the heatmap or the mask of the answer that stands in the element
// data-answer.
import { colourMap } from "./colour_map.js";
import { LabelMap, nameIn, structuresIn } from "./structures.js";

export async function load(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

export class Pane {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.stretch = Number(canvas.dataset.stretch ?? 1); // a pixel's height in widths: not every scanner's is square
    this.overlay = null; // what lies over the picture, as a canvas
    this.labels = null; // where that is a mask
    this.own = false; // in place of the mask that was made of it, the model's own
    this.suggested = false; // the answer is one whose overlay should be seen at once
  }

  // What belongs over `picture` by the answer as it stands on the page now. Returns false when it could not be loaded,
  // or is no mask of this picture.
  async findOverlay(picture) {
    const named = this.#named();
    this.overlay = this.labels = null;
    this.suggested = named?.dataset.shown === "yes";
    if (!named) return true;
    try {
      const own = this.own && this.ownMask;
      const image = await load(own || (named.dataset.mask ?? named.dataset.heatmap));
      if (this.#named() !== named) return true; // the answer has changed meanwhile
      if (named.dataset.heatmap) {
        this.overlay = colourMap(image);
        return true;
      }
      if (image.naturalWidth !== picture.width || image.naturalHeight !== picture.height) return false;
      this.labels = new LabelMap(image);
      this.overlay = this.labels.canvas;
      this.repaint();
      return true;
    } catch {
      return false;
    }
  }

  // Asked again when the reader shows or hides a structure.
  repaint() {
    const whole = this.own && this.answer.dataset.own; // another run's mask: the table beside it is not its own
    this.labels?.paint(whole ? undefined : structuresIn(this.answer));
  }

  // Where a model's own mask lies beside what a person made of it or draws to correct it; else nothing.
  get ownMask() {
    const named = this.#named();
    return named?.dataset.own ?? (named?.dataset.mask && this.answer.dataset.own) ?? "";
  }

  get answer() {
    return document.getElementById(this.canvas.dataset.answer);
  }

  #named() {
    return this.answer?.querySelector("[data-heatmap], [data-mask]") ?? null;
  }

  resize() {
    this.canvas.width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(this.canvas.clientHeight * devicePixelRatio);
  }

  // Screen pixels for the width of a pixel of the picture.
  scale(picture, view) {
    const height = picture.height * this.stretch;
    return Math.min(this.canvas.width / picture.width, this.canvas.height / height) * view.zoom;
  }

  // `opacity` from 0 to 1; 0 leaves the overlay away.
  draw(picture, view, opacity) {
    const { canvas, context, overlay } = this;
    const { width, height } = picture;
    const scale = this.scale(picture, view);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale * this.stretch, canvas.width / 2 + view.x, canvas.height / 2 + view.y);
    context.drawImage(picture, -width / 2, -height / 2);
    if (overlay && opacity > 0) {
      context.globalAlpha = this.labels ? Math.sqrt(opacity) : opacity; // the border of a mask is to be seen at once
      context.drawImage(overlay, -width / 2, -height / 2, width, height);
      context.globalAlpha = 1;
    }
    canvas.dataset.drawn = "yes";
  }

  // Where the pointer is, in screen pixels from the centre.
  fromCentre(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) * devicePixelRatio - this.canvas.width / 2;
    return [x, (event.clientY - box.top) * devicePixelRatio - this.canvas.height / 2];
  }

  // Number and name of the mask's structure under the pointer, or nothing.
  structureAt(event, picture, view) {
    if (!this.labels) return "";
    const scale = this.scale(picture, view);
    const [x, y] = this.fromCentre(event);
    const down = (y - view.y) / (scale * this.stretch) + picture.height / 2;
    const index = this.labels.at((x - view.x) / scale + picture.width / 2, down);
    return nameIn(structuresIn(this.answer), index);
  }
}
