// Plasma (matplotlib, CC0): even in lightness and told apart with every colour vision. Stops from low to high.
const STOPS = [
  [13, 8, 135], [84, 2, 163], [139, 10, 165], [185, 50, 137], [219, 92, 104], [244, 136, 73], [254, 188, 43], [240, 249, 33],
];

// Red, green, blue (0 to 255 each) of an intensity from 0 to 255.
export function colourOf(intensity) {
  const place = (intensity / 255) * (STOPS.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, STOPS.length - 1);
  return STOPS[low].map((channel, i) => Math.round(channel + (STOPS[high][i] - channel) * (place - low)));
}

// A grey intensity map as coloured pixels; where the map is low the image shows through.
export function colourMap(image) {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const palette = Array.from({ length: 256 }, (_, intensity) => colourOf(intensity));
  for (let at = 0; at < pixels.data.length; at += 4) {
    const intensity = pixels.data[at];
    pixels.data.set(palette[intensity], at);
    pixels.data[at + 3] = 255 * (intensity / 255) ** 1.5;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}
