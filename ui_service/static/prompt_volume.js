// Where a slice of a volume lies on the screen, for the boxes that are drawn over it (prompt_boxes.js). Boxes lie on the
// slices as they are stored, along the file's third axis: axial mostly, and where not, the view of that direction.
const VIEWS = ["sagittal", "coronal", "axial"]; // across NiiVue's axes to the right, front and top
const NUMBERS = { axial: 0, coronal: 1, sagittal: 2 }; // NiiVue's axCorSag

export function volumePlane(viewer, canvas) {
  const [{ permRAS, dimsRAS }] = viewer.volumes;
  // For each stored axis which of NiiVue's it is, whether it runs the other way, and how many values it has.
  const axes = [1, 2, 3].map((number) => {
    const along = permRAS.findIndex((each) => Math.abs(each) === number);
    return { along, turned: permRAS[along] < 0, side: dimsRAS[along + 1] };
  });
  const named = VIEWS[axes[2].along];
  const clamp = (value, side) => Math.min(Math.max(Math.floor(value), 0), side - 1);

  // NiiVue's fractions as places along the stored axes: 0 at the first edge of an axis, its count at the last.
  function stored(fractions) {
    return axes.map(({ along, turned, side }) => (turned ? 1 - fractions[along] : fractions[along]) * side);
  }

  // The tile with this view, in pixels of the page, and the straight line between them and the stored places.
  function tile() {
    const index = viewer.screenSlices.findIndex((each) => each.axCorSag === NUMBERS[named]);
    if (index < 0) return null;
    const ratio = viewer.uiData.dpr;
    const [from, top, across, height] = viewer.screenSlices[index].leftTopWidthHeight;
    const [left, width] = [Math.min(from, from + across), Math.abs(across)];
    const seen = (x, y) => stored(viewer.screenXY2TextureFrac(left + x * width, top + y * height, index, false));
    const [start, beside, below] = [seen(0.25, 0.25), seen(0.75, 0.25), seen(0.25, 0.75)];
    const first = Math.abs(beside[0] - start[0]) > Math.abs(beside[1] - start[1]) ? 0 : 1; // what runs across the screen
    const line = (axis, end, size) => {
      const step = ((end[axis] - start[axis]) / (0.5 * size)) * ratio;
      return { axis, step, zero: start[axis] - 0.25 * (size / ratio) * step };
    };
    const lines = [line(first, beside, width), line(1 - first, below, height)];
    return { lines, area: { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio } };
  }

  return {
    sides: [axes[0].side, axes[1].side],
    slices: axes[2].side,
    slice: () => clamp(stored(viewer.scene.crosshairPos)[2], axes[2].side),
    turn(by) {
      const move = [0, 0, 0];
      move[axes[2].along] = axes[2].turned ? -by : by;
      viewer.moveCrosshairInVox(...move);
    },
    enter: () => document.querySelector(`[data-view="${named}"]`).click(),
    area() {
      const found = tile()?.area;
      return found && { ...found, left: found.left + canvas.offsetLeft, top: found.top + canvas.offsetTop };
    },
    at(x, y) {
      const place = [0, 0];
      const shown = tile();
      for (const [number, { axis, step, zero }] of shown.lines.entries()) place[axis] = zero + [x, y][number] * step;
      return place;
    },
    rect(box) {
      const ends = tile().lines.map(({ axis, step, zero }) => {
        const two = [(box[axis] - zero) / step, (box[axis + 2] + 1 - zero) / step];
        return [Math.min(...two), Math.max(...two)];
      });
      const [[left, right], [top, bottom]] = ends;
      return { left, top, width: right - left, height: bottom - top };
    },
  };
}
