// The buttons of the outline tool: which of them may be pressed now. Accept says "agree" beside the answer.
const find = (id) => document.getElementById(id);
const agree = () => find("verdict-agree");

export function showButtons({ drawn, undoable, redrawing, done, correctable }) {
  find("box-undo").disabled = !undoable;
  find("box-redraw").disabled = !drawn;
  find("box-redraw").setAttribute("aria-pressed", String(redrawing));
  find("box-accept").disabled = !drawn || !done || !agree();
  find("box-accept").setAttribute("aria-pressed", agree()?.getAttribute("aria-pressed") ?? "false");
  find("box-correct").hidden = !correctable;
  find("box-correct").disabled = !drawn || !done;
}

find("box-accept")?.addEventListener("click", () => agree()?.click());
