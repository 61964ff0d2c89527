// The mask of the answer beside a volume: a label map over it, each structure in its colour, shown or hidden.
import { colourOfStructure, structuresIn } from "./structures.js";

const { NVImage } = window.niivue;
const NAME = "mask.nii.gz";
const toggle = document.getElementById("toggle");
const opacity = document.getElementById("opacity");

// Loads the mask of the answer in the element data-answer of `canvas`, and anew whenever that changes. `fetched` gives
// the bytes at an address. Returns what names the structure at a place.
export function followMask(viewer, canvas, fetched) {
  const answer = document.getElementById(canvas.dataset.answer);
  let shown = null; // the element that names the mask on the screen
  let mask = null;

  async function find() {
    const named = answer?.querySelector("[data-labels]") ?? null;
    if (named && named === shown) return;
    if (mask) viewer.removeVolume(mask);
    shown = named;
    mask = null;
    offer(named !== null);
    if (!named) return;
    try {
      const buffer = await fetched(named.dataset.labels);
      const loaded = await NVImage.loadFromUrl({ url: NAME, name: NAME, buffer, opacity: opacity.value / 100 });
      if (shown !== named) return; // the answer has changed meanwhile
      loaded.setColormapLabel(colours());
      viewer.addVolume(loaded);
      mask = loaded;
      toggle.disabled = opacity.disabled = false;
      tell(true);
    } catch {
      toggle.title = "The mask could not be loaded.";
    }
  }

  // 0, the background, is clear; so is what the reader hides.
  function colours() {
    const structures = [{ index: 0, name: "", shown: false }, ...structuresIn(answer)];
    const channel = (number) => structures.map(({ index }) => (index ? colourOfStructure(index)[number] : 0));
    return {
      R: channel(0),
      G: channel(1),
      B: channel(2),
      A: structures.map((each) => (each.shown ? 255 : 0)),
      I: structures.map((each) => each.index),
      labels: structures.map((each) => each.name),
    };
  }

  const visible = () => toggle.getAttribute("aria-pressed") === "true";

  function show(on) {
    viewer.setOpacity(viewer.volumes.indexOf(mask), on ? opacity.value / 100 : 0);
    tell(on);
  }

  function tell(on) {
    toggle.setAttribute("aria-pressed", String(on));
    canvas.dataset.mask = on ? "shown" : "hidden";
  }

  function offer(some) {
    toggle.hidden = opacity.parentElement.hidden = !some;
    toggle.disabled = opacity.disabled = true;
    toggle.title = "";
    delete canvas.dataset.mask;
  }

  toggle.addEventListener("click", () => mask && show(!visible()));
  opacity.addEventListener("input", () => mask && show(true));
  document.addEventListener("change", (event) => {
    if (!mask || !event.target.matches("[data-structure]")) return;
    mask.setColormapLabel(colours());
    viewer.updateGLVolume();
  });
  document.addEventListener("htmx:afterSwap", (event) => event.target === answer && find());
  find();

  return {
    // " · liver" for what NiiVue says of a place, or nothing.
    nameOf(values) {
      const at = mask && visible() ? viewer.volumes.indexOf(mask) : -1;
      const name = structuresIn(answer).find((each) => each.index === values?.[at]?.value)?.name;
      return name ? ` · ${name}` : "";
    },
  };
}
