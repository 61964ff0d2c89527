// Files and folders by button or by drop anywhere: one request and one bar each, three at a time. The DICOM files among
// them go together in one request, because slices make a volume only together.
// XMLHttpRequest, because fetch tells nothing of an upload's progress.
import { bodyFor, permitFor } from "./direct.js";

const AT_ONCE = 3;
const LATER = [429, 502, 503, 504]; // with Retry-After: the portal is busy, and nothing is wrong with the file
const PATIENCE_S = 600;
const form = document.getElementById("upload");
const input = document.getElementById("files");
const list = document.getElementById("uploads");
const token = document.querySelector('meta[name="csrf-token"]').content;
const waiting = [];
let sending = 0;
let held = false; // while the portal asked for patience

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

// All files of dropped folders, in them and below. What cannot be read gets a line that says so, and keeps none back.
async function filesIn(entries) {
  const found = [];
  for (const entry of entries) {
    try {
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
    } catch {
      unreadable(entry.name);
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
  const others = files.filter((_, at) => dicom[at] === false);
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

// Gives null, and a line that says so, where the file cannot be read: it was moved meanwhile, or is closed to this person.
async function isDicom(file) {
  try {
    return (await file.slice(128, 132).text()) === "DICM";
  } catch {
    unreadable(file.name);
    return null;
  }
}

function unreadable(name) {
  refuse(line("refused", name), "Your computer does not let this file be read. It may have been moved or deleted.", "unreadable");
}

function line(template, name) {
  const item = document.getElementById(template).content.firstElementChild.cloneNode(true);
  item.querySelector(".name").textContent = name;
  list.append(item);
  return item;
}

function next() {
  while (!held && sending < AT_ONCE && waiting.length) send(waiting.shift());
}

async function send(upload) {
  sending += 1;
  const request = (await direct(upload)) ?? (await post(upload, form.action, bodyOf(upload.files), ours(upload)));
  sending -= 1;
  finish(upload, request);
  next();
}

const ours = (upload) => ({ "HX-Request": "true", "X-CSRFToken": token, "Idempotency-Key": upload.key });

function bodyOf(files) {
  const body = new FormData();
  for (const file of files) body.append("file", file, file.name);
  return body;
}

// Gives null where the file is to go by the portal: there is no permit, or the store cannot be reached or refuses it.
async function direct(upload) {
  if (!upload.complete) {
    const permit = await permitFor(form, ours(upload), upload.files);
    if (!permit) return null;
    const sent = await post(upload, permit.url, bodyFor(permit, upload.files[0]), {});
    if (sent.status !== 201) return null;
    upload.complete = permit.complete; // what lies in the store is not sent again when completing fails
  }
  return post(upload, upload.complete, null, ours(upload));
}

// Resolves with the request when it is over, however it went.
function post(upload, address, body, headers) {
  const request = new XMLHttpRequest();
  const bar = upload.line.querySelector("progress");
  const figure = upload.line.querySelector(".figure");
  request.open("POST", address);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.value = event.loaded / event.total;
    figure.textContent = event.loaded < event.total ? `${Math.round(bar.value * 100)} %` : "checking";
  });
  return new Promise((resolve) => {
    request.addEventListener("loadend", () => resolve(request));
    request.send(body);
  });
}

function finish(upload, request) {
  const elsewhere = request.getResponseHeader("HX-Redirect");
  const wait = Number(request.getResponseHeader("Retry-After"));
  if (elsewhere) {
    location.assign(elsewhere);
  } else if (request.status >= 200 && request.status < 300) {
    upload.line.remove();
    htmx.swap("#rows", request.responseText, { swapStyle: "afterbegin", swapDelay: 0, settleDelay: 20 });
  } else if (LATER.includes(request.status) && wait > 0 && (upload.waited ?? 0) < PATIENCE_S) {
    sendLater(upload, wait);
  } else {
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const sentence = answer.querySelector(".sentence")?.textContent ?? UNEXPLAINED[request.status] ?? UNEXPLAINED[0];
    const refused = line("refused", upload.name);
    upload.line.replaceWith(refused);
    refuse(refused, sentence, answer.querySelector(".code")?.textContent ?? "");
    if (request.status === 0 || request.status === 429 || request.status >= 500) offerAgain(refused, upload);
  }
}

// All others wait with it: a thousand films that are each refused and sent anew would keep the portal busy.
function sendLater(upload, seconds) {
  upload.waited = (upload.waited ?? 0) + seconds;
  upload.line.querySelector("progress").value = 0;
  upload.line.querySelector(".figure").textContent = "the portal is busy, waiting";
  waiting.unshift(upload);
  if (held) return;
  held = true;
  document.getElementById("announcer").textContent = "The portal is busy. Your images are sent as soon as it takes them.";
  setTimeout(() => {
    held = false;
    next();
  }, seconds * 1000);
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
