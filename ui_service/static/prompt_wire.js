// A box as App takes it, and as it is said. Here a prompt has `box` [x0, y0, x1, y1], `slices` [first, last] in a
// volume and null in an image, `label`, and `through`; over the wire a volume's box has six numbers.
export function toWire({ box: [x0, y0, x1, y1], slices, label, through }) {
  const box = slices ? [x0, y0, slices[0], x1, y1, slices[1]] : [x0, y0, x1, y1];
  return { box, label, through };
}

export function fromWire({ box, label, through }) {
  if (box.length === 4) return { box, slices: null, label, through };
  const [x0, y0, z0, x1, y1, z1] = box;
  return { box: [x0, y0, x1, y1], slices: [z0, z1], label, through };
}

// Two boxes on two slices as one that holds both, on every slice from the one to the other.
export function joined(one, other) {
  const low = [0, 1].map((at) => Math.min(one.box[at], other.box[at]));
  const high = [2, 3].map((at) => Math.max(one.box[at], other.box[at]));
  const slices = [one.slices[0], other.slices[0]].sort((a, b) => a - b);
  return { ...one, box: [...low, ...high], slices };
}

// People count from one.
export function saidOf({ box: [x0, y0, x1, y1], slices, through }, name) {
  const place = `${name}: columns ${x0 + 1} to ${x1 + 1}, rows ${y0 + 1} to ${y1 + 1}`;
  if (!slices) return place;
  const [first, last] = slices;
  const range = first === last ? `slice ${first + 1}` : `slices ${first + 1} to ${last + 1}`;
  return `${place}, ${range}${through ? ", followed through the volume" : ""}`;
}
