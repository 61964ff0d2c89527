// The image viewer of a study page: image, heatmap over it, window and level, zoom and pan.
import { colourMap, colourOf } from "./colour_map.js";
import { WHOLE, WindowedImage } from "./window_level.js";

const canvas = document.getElementById("canvas");
const context = canvas.getContext("2d");
const toggle = document.getElementById("toggle");
const opacity = document.getElementById("opacity");
const legend = document.getElementById("legend");

let picture = null;
let heatmap = null;
let shades = { ...WHOLE };
let view = { zoom: 1, x: 0, y: 0 };
let frame = 0;

async function load(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

async function start() {
  try {
    picture = new WindowedImage(await load(canvas.dataset.src));
  } catch {
    const blocked = document.getElementById("blocked");
    blocked.textContent = "✕ The image could not be loaded. Please load the page again.";
    blocked.hidden = false;
    return;
  }
  new ResizeObserver(resize).observe(canvas);
  setShades({});
  await findHeatmap();
}

// The heatmap of the answer that stands on the page; asked again whenever the answer card changes.
async function findHeatmap() {
  const named = document.getElementById("heatmap");
  const address = named?.dataset.src;
  heatmap = null;
  if (address && picture) {
    try {
      const image = await load(address);
      if (document.getElementById("heatmap") === named) heatmap = colourMap(image);
    } catch {
      toggle.title = "The heatmap could not be loaded.";
    }
  }
  toggle.disabled = opacity.disabled = heatmap === null;
  showHeatmap(heatmap !== null && named.dataset.shown === "yes");
}

function showHeatmap(shown) {
  toggle.setAttribute("aria-pressed", String(shown));
  legend.hidden = !shown;
  draw();
}

function setShades(change) {
  shades = { ...shades, ...change };
  shades.width = Math.min(Math.max(shades.width, 2), 512);
  shades.level = Math.min(Math.max(shades.level, 0), 255);
  picture.apply(shades);
  draw();
}

const fit = () => Math.min(canvas.width / picture.canvas.width, canvas.height / picture.canvas.height);

function draw() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    const { width, height } = picture.canvas;
    const scale = fit() * view.zoom;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, canvas.width / 2 + view.x, canvas.height / 2 + view.y);
    context.drawImage(picture.canvas, -width / 2, -height / 2);
    if (toggle.getAttribute("aria-pressed") === "true" && heatmap) {
      context.globalAlpha = opacity.value / 100;
      context.drawImage(heatmap, -width / 2, -height / 2, width, height);
      context.globalAlpha = 1;
    }
    const percent = Math.round((scale / devicePixelRatio) * 100);
    const inverted = shades.inverted ? " inverted" : "";
    document.getElementById("hud-window").textContent =
      `W ${Math.round(shades.width)} L ${Math.round(shades.level)}${inverted} · ${percent} %`;
    canvas.dataset.drawn = "yes";
  });
}

function resize() {
  canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
  draw();
}

// Zoom so that the point (x, y) of the canvas, measured from its centre, stays where it is.
function zoomAt(factor, x, y) {
  const zoom = Math.min(Math.max(view.zoom * factor, 0.5), 24);
  const change = zoom / view.zoom;
  view = { zoom, x: x - (x - view.x) * change, y: y - (y - view.y) * change };
  draw();
}

function fromCentre(event) {
  const box = canvas.getBoundingClientRect();
  const x = (event.clientX - box.left) * devicePixelRatio - canvas.width / 2;
  return [x, (event.clientY - box.top) * devicePixelRatio - canvas.height / 2];
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
toggle.addEventListener("click", () => showHeatmap(toggle.getAttribute("aria-pressed") !== "true"));
opacity.addEventListener("input", draw);
document.getElementById("reset").addEventListener("click", () => {
  view = { zoom: 1, x: 0, y: 0 };
  if (picture) setShades({ ...WHOLE });
});

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (picture) zoomAt(Math.exp(-event.deltaY / 400), ...fromCentre(event));
}, { passive: false });

// Fingers: one moves, two zoom. Mouse: drag is window and level, shift or the middle button moves.
const held = new Map();
canvas.addEventListener("pointerdown", (event) => {
  if (!picture || event.button === 2) return;
  if (event.button === 1) event.preventDefault(); // no autoscroll; the left button may take the focus out of a text
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, event);
});
canvas.addEventListener("pointermove", (event) => {
  const before = held.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
  const moving = event.shiftKey || event.buttons === 4 || event.pointerType === "touch";
  canvas.classList.toggle("moving", moving);
  if (held.size === 2) {
    const [other] = [...held.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
    const gap = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
    zoomAt(gap(event) / gap(before), ...fromCentre(other));
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

function drawLegend() {
  const ramp = document.getElementById("ramp");
  const brush = ramp.getContext("2d");
  for (let x = 0; x < ramp.width; x += 1) {
    brush.fillStyle = `rgb(${colourOf((255 * x) / ramp.width).join(" ")})`;
    brush.fillRect(x, 0, 1, ramp.height);
  }
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "answer") findHeatmap();
});
drawLegend();
start();
