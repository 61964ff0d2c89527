// Where an image lies on the screen, for the boxes that are drawn over it (prompt_boxes.js).
// `view` tells zoom and place as the viewer has them now.
export function imagePlane(pane, picture, view) {
  const { canvas } = pane;

  // Pixels of the page for one of the picture, across and down, and where its first corner lies in the canvas.
  function lie() {
    const { x, y } = view();
    const across = pane.scale(picture, view()) / devicePixelRatio;
    const down = across * pane.stretch;
    const left = (canvas.width / 2 + x) / devicePixelRatio - (picture.width * across) / 2;
    const top = (canvas.height / 2 + y) / devicePixelRatio - (picture.height * down) / 2;
    return { across, down, left, top };
  }

  return {
    sides: [picture.width, picture.height],
    slices: 0,
    slice: () => null,
    enter() {},
    // The part of the viewer where boxes may be drawn, as large as it was last drawn: a page that has just been laid out
    // anew tells its new height a frame before the picture has it, and a box would be put beside its place.
    area() {
      const [width, height] = [canvas.width / devicePixelRatio, canvas.height / devicePixelRatio];
      return { left: canvas.offsetLeft, top: canvas.offsetTop, width, height };
    },
    // The place in the picture under a point of the area: 0 at its first edge, its width or height at its last.
    at(x, y) {
      const { across, down, left, top } = lie();
      return [(x - left) / across, (y - top) / down];
    },
    // Where a box with inclusive corners lies in the area.
    rect([x0, y0, x1, y1]) {
      const { across, down, left, top } = lie();
      const [width, height] = [(x1 + 1 - x0) * across, (y1 + 1 - y0) * down];
      return { left: left + x0 * across, top: top + y0 * down, width, height };
    },
  };
}
