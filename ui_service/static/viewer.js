// The image viewer: one picture in one pane (study) or several (compare), with heatmaps or masks over it. Window and
// level, zoom and pan are those of all panes: what is compared is seen alike.
import { colourOf } from "./colour_map.js";
import { Pane, load } from "./pane.js";
import { imagePlane } from "./prompt_image.js";
import { offerOutlining } from "./prompts.js";
import { WHOLE, WindowedImage } from "./window_level.js";

const panes = [...document.querySelectorAll("canvas[data-src]")].map((canvas) => new Pane(canvas));
const toggle = document.getElementById("toggle");
const own = document.getElementById("own");
const opacity = document.getElementById("opacity");
const legend = document.getElementById("legend");
const structure = document.getElementById("hud-structure");

let picture = null;
let shades = { ...WHOLE };
let view = { zoom: 1, x: 0, y: 0 };
let chosen = null; // overlays on or off, once the reader has said so
let frame = 0;

async function start() {
  try {
    picture = new WindowedImage(await load(panes[0].canvas.dataset.src));
  } catch {
    const blocked = document.getElementById("blocked");
    blocked.textContent = "✕ The image could not be loaded. Please load the page again.";
    blocked.hidden = false;
    return;
  }
  const sizes = new ResizeObserver(() => {
    for (const pane of panes) pane.resize();
    draw();
  });
  for (const pane of panes) sizes.observe(pane.canvas);
  setShades({});
  await Promise.all(panes.map(findOverlay));
  offerOutlining(panes[0].canvas, imagePlane(panes[0], picture.canvas, () => view));
}

// Asked again whenever the answer of a pane changes.
async function findOverlay(pane) {
  if (!picture) return;
  own.hidden = own.disabled = panes.length > 1 || !pane.ownMask;
  pane.own &&= !own.hidden;
  own.setAttribute("aria-pressed", String(pane.own));
  const fits = await pane.findOverlay(picture.canvas);
  const some = panes.some((each) => each.overlay);
  toggle.title = fits ? "" : "What belongs over the image could not be loaded.";
  toggle.disabled = opacity.disabled = !some;
  if (some) document.getElementById("toggle-name").textContent = kindOfOverlays();
  showOverlays(some && (chosen ?? panes.some((each) => each.overlay && each.suggested)));
}

function kindOfOverlays() {
  const masks = panes.filter((each) => each.labels).length;
  const heatmaps = panes.filter((each) => each.overlay).length - masks;
  if (panes.length === 1) return masks ? "Mask" : "Heatmap";
  return masks && heatmaps ? "Overlays" : masks ? "Masks" : "Heatmaps";
}

const overlaysShown = () => toggle.getAttribute("aria-pressed") === "true";

function showOverlays(shown) {
  toggle.setAttribute("aria-pressed", String(shown));
  legend.hidden = !shown || panes.every((each) => !each.overlay || each.labels); // a ramp means nothing to a mask
  draw();
}

function setShades(change) {
  shades = { ...shades, ...change };
  shades.width = Math.min(Math.max(shades.width, 2), 512);
  shades.level = Math.min(Math.max(shades.level, 0), 255);
  picture.apply(shades);
  draw();
}

function draw() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    for (const pane of panes) pane.draw(picture.canvas, view, overlaysShown() ? opacity.value / 100 : 0);
    const percent = Math.round((panes[0].scale(picture.canvas, view) / devicePixelRatio) * 100);
    const inverted = shades.inverted ? " inverted" : "";
    document.getElementById("hud-window").textContent =
      `W ${Math.round(shades.width)} L ${Math.round(shades.level)}${inverted} · ${percent} %`;
  });
}

// Zoom so that the point (x, y) of a canvas, measured from its centre, stays where it is.
function zoomAt(factor, x, y) {
  const zoom = Math.min(Math.max(view.zoom * factor, 0.5), 24);
  const change = zoom / view.zoom;
  view = { zoom, x: x - (x - view.x) * change, y: y - (y - view.y) * change };
  draw();
}

const PRESETS = {
  whole: () => ({ width: WHOLE.width, level: WHOLE.level }),
  lung: () => ({ width: 150, level: 90 }),
  bone: () => ({ width: 120, level: 180 }),
  stretch: () => picture.stretched(),
  invert: () => ({ inverted: !shades.inverted }),
};

for (const button of document.querySelectorAll("[data-preset]")) {
  button.addEventListener("click", () => picture && setShades(PRESETS[button.dataset.preset]()));
}
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => picture && zoomAt(Number(button.dataset.zoom), 0, 0));
}
toggle.addEventListener("click", () => {
  chosen = !overlaysShown();
  showOverlays(chosen);
});
own.addEventListener("click", () => {
  panes[0].own = !panes[0].own;
  chosen = true;
  findOverlay(panes[0]);
});
opacity.addEventListener("input", draw);
document.getElementById("reset").addEventListener("click", () => {
  view = { zoom: 1, x: 0, y: 0 };
  if (picture) setShades({ ...WHOLE });
});

// Fingers: one moves, two zoom. Mouse: drag is window and level, shift or the middle button moves.
function listen(pane) {
  const { canvas } = pane;
  const held = new Map();
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (picture) zoomAt(Math.exp(-event.deltaY / 400), ...pane.fromCentre(event));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (!picture || event.button === 2) return;
    if (event.button === 1) event.preventDefault(); // no autoscroll; the left button may take the focus out of a text
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (structure && picture) tellStructure(pane.structureAt(event, picture.canvas, view));
    if (!before) return;
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    const moving = event.shiftKey || event.buttons === 4 || event.pointerType === "touch";
    canvas.classList.toggle("moving", moving);
    if (held.size === 2) {
      const [other] = [...held.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
      const gap = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
      zoomAt(gap(event) / gap(before), ...pane.fromCentre(other));
    } else if (moving) {
      view = { ...view, x: view.x + dx * devicePixelRatio, y: view.y + dy * devicePixelRatio };
      draw();
    } else {
      setShades({ width: shades.width + dx, level: shades.level + dy / 2 });
    }
    held.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      held.delete(event.pointerId);
      canvas.classList.remove("moving");
    });
  }
}

function tellStructure(name) {
  structure.textContent = name && overlaysShown() ? ` · ${name}` : "";
}

function drawLegend() {
  const ramp = document.getElementById("ramp");
  const brush = ramp.getContext("2d");
  for (let x = 0; x < ramp.width; x += 1) {
    brush.fillStyle = `rgb(${colourOf((255 * x) / ramp.width).join(" ")})`;
    brush.fillRect(x, 0, 1, ramp.height);
  }
}

document.addEventListener("htmx:afterSwap", (event) => {
  for (const pane of panes) if (pane.canvas.dataset.answer === event.target.id) findOverlay(pane);
});
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-structure]")) return;
  for (const pane of panes) if (pane.answer?.contains(event.target)) pane.repaint();
  draw();
});
panes.forEach(listen);
drawLegend();
start();
