// The volume viewer: NiiVue in one canvas, fed with bytes that we fetch ourselves, so that their arrival can be shown.
// Right and left are as in radiology: the patient's right is on the left.
import { volumePlane } from "./prompt_volume.js";
import { offerOutlining } from "./prompts.js";
import { followMask } from "./volume_mask.js";

const { Niivue, DRAG_MODE, SHOW_RENDER } = window.niivue;
const canvas = document.getElementById("canvas");
const controls = document.querySelectorAll(".tools .group .btn");
let mask = null; // of the answer beside the volume
const BACKGROUND = [0, 0, 0, 1];
// Level and width in Hounsfield units.
const PRESETS = { lung: [-600, 1500], "soft tissue": [40, 400], bone: [400, 1800], brain: [40, 80] };

// Without a graphics card a frame of the 3D view takes seconds: it is then left to its own button.
function drawnBySoftware() {
  const context = document.createElement("canvas").getContext("webgl2");
  const info = context?.getExtension("WEBGL_debug_renderer_info");
  return !info || /swiftshader|llvmpipe|software/i.test(context.getParameter(info.UNMASKED_RENDERER_WEBGL));
}

const viewer = new Niivue({
  backColor: BACKGROUND,
  crosshairColor: [0.3, 0.76, 1, 0.8],
  crosshairWidth: 0.25,
  dragMode: DRAG_MODE.windowing, // the right button
  dragAndDropEnabled: false,
  isColorbar: false,
  isRadiologicalConvention: true,
  loadingText: "",
  multiplanarShowRender: drawnBySoftware() ? SHOW_RENDER.NEVER : SHOW_RENDER.ALWAYS,
  show3Dcrosshair: true,
});
const VIEWS = {
  all: viewer.sliceTypeMultiplanar,
  axial: viewer.sliceTypeAxial,
  coronal: viewer.sliceTypeCoronal,
  sagittal: viewer.sliceTypeSagittal,
  "3d": viewer.sliceTypeRender,
};

async function start() {
  try {
    await viewer.attachToCanvas(canvas);
    const bytes = await fetched(canvas.dataset.volume, tellLoaded);
    document.getElementById("figure").textContent = "unpacking";
    await viewer.loadFromArrayBuffer(bytes, "volume.nii.gz");
  } catch {
    fail();
    return;
  }
  document.getElementById("loading").hidden = true;
  for (const control of controls) control.disabled = false;
  window_(canvas.dataset.modality === "CT" ? "soft tissue" : "whole");
  canvas.dataset.drawn = "yes";
  mask = followMask(viewer, canvas, fetched);
  offerOutlining(canvas, volumePlane(viewer, canvas));
}

// All bytes of an answer; `told` is given how many have come, and of how many.
async function fetched(address, told = () => {}) {
  const answer = await fetch(address, { headers: { Accept: "application/gzip" } });
  if (!answer.ok) throw new Error("no volume");
  const total = Number(answer.headers.get("Content-Length"));
  const parts = [];
  let got = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    got += value.length;
    told(got, total);
  }
  return new Blob(parts).arrayBuffer();
}

function tellLoaded(got, total) {
  if (total) document.getElementById("loaded").value = got / total;
  document.getElementById("figure").textContent = `${(got / 2 ** 20).toFixed(1)} MiB`;
}

function fail() {
  const blocked = document.getElementById("blocked");
  blocked.textContent = "✕ The volume could not be shown. Please load the page again; it needs WebGL 2.";
  blocked.hidden = false;
  document.getElementById("loading").hidden = true;
}

function window_(preset) {
  const [volume] = viewer.volumes;
  const [level, width] = PRESETS[preset] ?? [];
  volume.cal_min = width ? level - width / 2 : volume.robust_min;
  volume.cal_max = width ? level + width / 2 : volume.robust_max;
  viewer.updateGLVolume();
  tellWindow(volume);
}

function tellWindow(volume) {
  const [low, high] = [volume.cal_min, volume.cal_max];
  document.getElementById("hud-window").textContent = `W ${Math.round(high - low)} L ${Math.round((high + low) / 2)}`;
}

for (const button of document.querySelectorAll("[data-preset]")) {
  button.addEventListener("click", () => window_(button.dataset.preset));
}
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    viewer.setSliceType(VIEWS[button.dataset.view]);
    for (const other of document.querySelectorAll("[data-view]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  });
}
// The right button always windows. Touch screens have none, nor do many pens and trackpads.
const windowing = document.getElementById("windowing");
windowing.addEventListener("click", () => {
  const on = windowing.getAttribute("aria-pressed") !== "true";
  windowing.setAttribute("aria-pressed", String(on));
  viewer.opts.dragModePrimary = on ? DRAG_MODE.windowing : DRAG_MODE.crosshair;
});
document.getElementById("reset").addEventListener("click", () => {
  viewer.setPan2Dxyzmm([0, 0, 0, 1]);
  viewer.scene.crosshairPos = [0.5, 0.5, 0.5];
  window_(canvas.dataset.modality === "CT" ? "soft tissue" : "whole");
});

viewer.onIntensityChange = tellWindow;
// Of a window that is being dragged NiiVue tells nothing.
for (const moved of ["mousemove", "touchmove"]) {
  document.addEventListener(moved, (event) => {
    if ((event.buttons || event.touches) && canvas.dataset.drawn) tellWindow(viewer.volumes[0]);
  });
}
viewer.onLocationChange = ({ mm, values }) => {
  const [right, front, head] = [...mm].map((each) => each.toFixed(0));
  const value = values?.[0]?.value;
  const unit = canvas.dataset.modality === "CT" ? " HU" : "";
  document.getElementById("hud-place").textContent =
    `R ${right}  A ${front}  S ${head} mm` +
    (value === undefined ? "" : ` · ${Number(value.toPrecision(5))}${unit}`) +
    (mask?.nameOf(values) ?? "");
};
start();
