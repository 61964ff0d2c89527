// The structures of a mask: their colours, which of them are shown, and a label map as coloured pixels.
// Told apart with every kind of colour vision, as far as 32 can be: App's structure_colours.py says how they were found.
// lightbox.css and App's overlay.png have the same ones.
const COLOURS = [
  [86, 180, 233], [230, 159, 0], [0, 158, 115], [240, 228, 66], [204, 121, 167], [213, 94, 0],
  [128, 26, 255], [204, 255, 178], [102, 102, 230], [128, 76, 153], [230, 0, 76], [128, 255, 230],
  [51, 102, 51], [178, 204, 102], [153, 51, 102], [255, 178, 178], [153, 26, 178], [204, 178, 128],
  [153, 230, 255], [128, 153, 255], [178, 26, 0], [255, 76, 204], [153, 153, 51], [255, 76, 128],
  [76, 102, 26], [153, 255, 128], [128, 204, 51], [128, 76, 255], [102, 128, 76], [178, 102, 178],
  [153, 204, 255], [255, 153, 204],
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

// "7 liver" for a number in `structures`, or nothing: two colours can be taken for each other, numbers cannot.
export function nameIn(structures, index) {
  const name = structures.find((each) => each.index === index)?.name;
  return name ? `${index} ${name}` : "";
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
