// One canvas of a viewer: the picture, and over it the heatmap of the answer that stands in the element data-answer.
import { colourMap } from "./colour_map.js";

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
    this.heatmap = null;
    this.suggested = false; // the answer is one whose heatmap should be seen at once
  }

  // The heatmap of the answer as it stands on the page now. Returns false when it could not be loaded.
  async findHeatmap() {
    const named = this.#named();
    this.heatmap = null;
    this.suggested = named?.dataset.shown === "yes";
    if (!named) return true;
    try {
      const image = await load(named.dataset.heatmap);
      if (this.#named() === named) this.heatmap = colourMap(image); // the answer may have changed meanwhile
      return true;
    } catch {
      return false;
    }
  }

  #named() {
    return document.getElementById(this.canvas.dataset.answer)?.querySelector("[data-heatmap]") ?? null;
  }

  resize() {
    this.canvas.width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(this.canvas.clientHeight * devicePixelRatio);
  }

  // Screen pixels for a pixel of the picture.
  scale(picture, view) {
    return Math.min(this.canvas.width / picture.width, this.canvas.height / picture.height) * view.zoom;
  }

  // `opacity` from 0 to 1; 0 leaves the heatmap away.
  draw(picture, view, opacity) {
    const { canvas, context, heatmap } = this;
    const { width, height } = picture;
    const scale = this.scale(picture, view);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, canvas.width / 2 + view.x, canvas.height / 2 + view.y);
    context.drawImage(picture, -width / 2, -height / 2);
    if (heatmap && opacity > 0) {
      context.globalAlpha = opacity;
      context.drawImage(heatmap, -width / 2, -height / 2, width, height);
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
}
