// The mask of the answer beside a volume: a label map over it, each structure in its colour, shown or hidden.
import { colourOfStructure, nameIn, structuresIn } from "./structures.js";

const { NVImage } = window.niivue;
const NAME = "mask.nii.gz";
const MOST = 255; // structures of a mask
const toggle = document.getElementById("toggle");
const opacity = document.getElementById("opacity");
const own = document.getElementById("own"); // in place of the mask that was made of it, the model's own

// Loads the mask of the answer in the element data-answer of `canvas`, and anew whenever that changes. `fetched` gives
// the bytes at an address. Returns what names the structure at a place.
export function followMask(viewer, canvas, fetched) {
  const answer = () => document.getElementById(canvas.dataset.answer); // another one after each box that is drawn
  let shown = ""; // the address of the mask on the screen
  let mask = null;

  async function find() {
    const wanted = address();
    if (mask && wanted === shown) return repaint();
    if (mask) viewer.removeVolume(mask);
    shown = wanted;
    mask = null;
    offer(wanted !== "");
    if (!wanted) return;
    try {
      const buffer = await fetched(wanted);
      const loaded = await NVImage.loadFromUrl({ url: NAME, name: NAME, buffer, opacity: opacity.value / 100 });
      if (shown !== wanted) return; // the answer has changed meanwhile
      loaded.setColormapLabel(colours());
      viewer.addVolume(loaded);
      mask = loaded;
      toggle.disabled = opacity.disabled = false;
      tell(true);
    } catch {
      toggle.title = "The mask could not be loaded.";
    }
  }

  function address() {
    const named = answer()?.querySelector("[data-labels]");
    const beside = answer()?.dataset.own ?? named?.dataset.own ?? "";
    own.hidden = own.disabled = !beside || !named;
    if (own.hidden) own.setAttribute("aria-pressed", "false");
    return (ownShown() && beside) || (named?.dataset.labels ?? "");
  }

  const ownShown = () => own.getAttribute("aria-pressed") === "true";

  // Of another run's mask, beside the answer of a person's boxes, every structure is shown: the table is not its own.
  function structures() {
    const whole = ownShown() && answer().dataset.own;
    const all = () => Array.from({ length: MOST }, (_, at) => ({ index: at + 1, name: "", shown: true }));
    return whole ? all() : structuresIn(answer());
  }

  // 0, the background, is clear; so is what the reader hides.
  function colours() {
    const listed = [{ index: 0, name: "", shown: false }, ...structures()];
    const channel = (number) => listed.map(({ index }) => (index ? colourOfStructure(index)[number] : 0));
    return {
      R: channel(0),
      G: channel(1),
      B: channel(2),
      A: listed.map((each) => (each.shown ? 255 : 0)),
      I: listed.map((each) => each.index),
      labels: listed.map((each) => each.name),
    };
  }

  function repaint() {
    mask.setColormapLabel(colours());
    viewer.updateGLVolume();
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
  own.addEventListener("click", () => {
    own.setAttribute("aria-pressed", String(!ownShown()));
    find();
  });
  document.addEventListener("change", (event) => {
    if (mask && event.target.matches("[data-structure]")) repaint();
  });
  document.addEventListener("htmx:afterSwap", (event) => event.target === answer() && find());
  find();

  return {
    // " · 7 liver" for what NiiVue says of a place, or nothing.
    nameOf(values) {
      const at = mask && visible() ? viewer.volumes.indexOf(mask) : -1;
      const name = nameIn(structures(), values?.[at]?.value);
      return name ? ` · ${name}` : "";
    },
  };
}
