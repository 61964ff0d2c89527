// Window and level on 8-bit pixels: `width` grey values around `level` fill the range from black to white.
export const WHOLE = { width: 256, level: 128, inverted: false };

export class WindowedImage {
  constructor(image) {
    this.canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.drawImage(image, 0, 0);
    this.source = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.shown = new ImageData(this.canvas.width, this.canvas.height);
  }

  apply({ width, level, inverted }) {
    const table = new Uint8ClampedArray(256);
    for (let value = 0; value < 256; value += 1) {
      const grey = ((value - level) / width + 0.5) * 255;
      table[value] = inverted ? 255 - grey : grey;
    }
    const from = this.source.data;
    const to = this.shown.data;
    for (let at = 0; at < from.length; at += 4) {
      to[at] = table[from[at]];
      to[at + 1] = table[from[at + 1]];
      to[at + 2] = table[from[at + 2]];
      to[at + 3] = 255;
    }
    this.context.putImageData(this.shown, 0, 0);
  }

  // The window that leaves out the darkest and the brightest hundredth.
  stretched() {
    const counts = new Uint32Array(256);
    for (let at = 0; at < this.source.data.length; at += 4) counts[this.source.data[at]] += 1;
    const total = this.source.data.length / 4;
    const low = quantile(counts, total * 0.01);
    const high = Math.max(quantile(counts, total * 0.99), low + 1);
    return { width: high - low, level: (low + high) / 2 };
  }
}

function quantile(counts, wanted) {
  let seen = 0;
  for (let value = 0; value < 256; value += 1) {
    seen += counts[value];
    if (seen >= wanted) return value;
  }
  return 255;
}
