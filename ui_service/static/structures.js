// The structures of a mask: their colours, which of them are shown, and a label map as coloured pixels.
// Okabe and Ito (2008): told apart with every kind of colour vision; as in lightbox.css and App's overlay.png.
const COLOURS = [
  [86, 180, 233], [230, 159, 0], [0, 158, 115], [240, 228, 66], [204, 121, 167], [213, 94, 0],
];
export const colourCount = COLOURS.length;
const FILLED = 0.6; // of what the border has

// Red, green, blue of a structure's number, which begins at 1.
export function colourOfStructure(index) {
  return COLOURS[(index - 1) % COLOURS.length];
}

// The boxes in an answer's table of measurements: number, name, and whether it is to be seen.
export function structuresIn(answer) {
  return [...(answer?.querySelectorAll("[data-structure]") ?? [])].map((box) => ({
    index: Number(box.dataset.structure),
    name: box.dataset.name,
    shown: box.checked,
  }));
}

export class LabelMap {
  // `image` is an 8-bit grey picture whose values are numbers of structures.
  constructor(image) {
    this.width = image.naturalWidth;
    this.height = image.naturalHeight;
    this.canvas = new OffscreenCanvas(this.width, this.height);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.drawImage(image, 0, 0);
    const read = this.context.getImageData(0, 0, this.width, this.height).data;
    this.values = new Uint8Array(this.width * this.height);
    for (let at = 0; at < this.values.length; at += 1) this.values[at] = read[4 * at];
  }

  // Colours the shown structures, all there are without a list; their borders stand out.
  paint(structures = this.#all()) {
    const { width, values } = this;
    const pixels = new ImageData(width, this.height);
    const shown = new Map(structures.filter((each) => each.shown).map(({ index }) => [index, colourOfStructure(index)]));
    for (let at = 0; at < values.length; at += 1) {
      const colour = shown.get(values[at]);
      if (!colour) continue;
      pixels.data.set(colour, 4 * at);
      const value = values[at];
      const inner = values[at - 1] === value && values[at + 1] === value && values[at - width] === value && values[at + width] === value;
      pixels.data[4 * at + 3] = inner ? 255 * FILLED : 255;
    }
    this.context.putImageData(pixels, 0, 0);
  }

  #all() {
    return [...new Set(this.values)].filter(Boolean).map((index) => ({ index, shown: true }));
  }

  // The number at a pixel; 0 is none, as outside.
  at(x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return 0;
    return this.values[Math.floor(y) * this.width + Math.floor(x)];
  }
}
