// Files and folders by button or by drop anywhere: one request and one bar each, three at a time. The DICOM files among
// them go together in one request, because slices make a volume only together.
// XMLHttpRequest, because fetch tells nothing of an upload's progress.
const AT_ONCE = 3;
const form = document.getElementById("upload");
const input = document.getElementById("files");
const list = document.getElementById("uploads");
const token = document.querySelector('meta[name="csrf-token"]').content;
const waiting = [];
let sending = 0;

input.addEventListener("change", () => {
  add(input.files);
  input.value = "";
});

for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  });
}
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dragging");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dragging");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.some((entry) => entry.isDirectory)) filesIn(entries).then(add);
  else add(event.dataTransfer.files);
});

// All files of dropped folders, in them and below.
async function filesIn(entries) {
  const found = [];
  for (const entry of entries) {
    if (entry.isFile) {
      found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      continue;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      found.push(...(await filesIn(some)));
    }
  }
  return found;
}

list.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest("li").remove();
});

async function add(chosen) {
  const files = [...chosen]; // the list of an input empties with it
  const dicom = await Promise.all(files.map(isDicom));
  const slices = files.filter((_, at) => dicom[at]);
  const others = files.filter((_, at) => !dicom[at]);
  for (const together of [...(slices.length ? [slices] : []), ...others.map((file) => [file])]) {
    const [first] = together;
    const name = together.length > 1 ? `${first.name} and ${together.length - 1} more` : first.name;
    if (together.some((file) => file.size > Number(form.dataset.mostBytes))) {
      refuse(line("refused", name), "This file is larger than the portal accepts.", "too_large");
    } else {
      waiting.push({ files: together, name, line: line("sending", name), key: crypto.randomUUID() });
    }
  }
  next();
}

async function isDicom(file) {
  return (await file.slice(128, 132).text()) === "DICM";
}

function line(template, name) {
  const item = document.getElementById(template).content.firstElementChild.cloneNode(true);
  item.querySelector(".name").textContent = name;
  list.append(item);
  return item;
}

function next() {
  while (sending < AT_ONCE && waiting.length) send(waiting.shift());
}

function send(upload) {
  const request = new XMLHttpRequest();
  const bar = upload.line.querySelector("progress");
  const figure = upload.line.querySelector(".figure");
  const body = new FormData();
  for (const file of upload.files) body.append("file", file, file.name);
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("X-CSRFToken", token);
  request.setRequestHeader("Idempotency-Key", upload.key);
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.value = event.loaded / event.total;
    figure.textContent = event.loaded < event.total ? `${Math.round(bar.value * 100)} %` : "checking";
  });
  request.addEventListener("loadend", () => {
    sending -= 1;
    finish(upload, request);
    next();
  });
  sending += 1;
  request.send(body);
}

function finish(upload, request) {
  const elsewhere = request.getResponseHeader("HX-Redirect");
  if (elsewhere) {
    location.assign(elsewhere);
  } else if (request.status >= 200 && request.status < 300) {
    upload.line.remove();
    htmx.swap("#rows", request.responseText, { swapStyle: "afterbegin", swapDelay: 0, settleDelay: 20 });
  } else {
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const sentence = answer.querySelector(".sentence")?.textContent ?? UNEXPLAINED[request.status] ?? UNEXPLAINED[0];
    const refused = line("refused", upload.name);
    upload.line.replaceWith(refused);
    refuse(refused, sentence, answer.querySelector(".code")?.textContent ?? "");
    if (request.status === 0 || request.status >= 500) offerAgain(refused, upload);
  }
}

// When the answer is not ours: from nginx, or no answer at all.
const UNEXPLAINED = {
  0: "The connection was lost before the file was accepted.",
  413: "This file is larger than the portal accepts.",
};

function refuse(item, sentence, code) {
  document.getElementById("announcer").textContent = `${item.querySelector(".name").textContent}: ${sentence}`;
  item.querySelector(".sentence").textContent = sentence;
  item.querySelector(".code").textContent = code;
}

// The same key again: an upload that did arrive is not stored twice.
function offerAgain(item, upload) {
  const button = item.querySelector("[data-again]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const fresh = line("sending", upload.name);
    item.replaceWith(fresh);
    waiting.push({ ...upload, line: fresh });
    next();
  });
}
