// A large file straight to the store, by a permit of the portal's; small ones, and all where there is none, go by it.
export async function permitFor(form, headers, files) {
  const [file] = files;
  if (!form.dataset.direct || files.length > 1 || file.size < Number(form.dataset.directFromBytes)) return null;
  const asked = new FormData();
  asked.append("filename", file.name);
  asked.append("size_bytes", file.size);
  asked.append("media_type", file.type);
  const answer = await fetch(form.dataset.direct, { method: "POST", headers, body: asked }).catch(() => null);
  return answer?.status === 201 ? answer.json() : null;
}

// What the store is to get: the file comes last, it ignores what follows.
export function bodyFor(permit, file) {
  const body = new FormData();
  for (const [name, value] of Object.entries(permit.fields)) body.append(name, value);
  body.append("file", file, file.name);
  return body;
}
