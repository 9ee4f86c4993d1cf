// Asking the worker. The token, where one is needed, stays in this tab's session storage.

const KEY = "streamer-token";

export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail ?? problem.title ?? "no answer");
    this.status = status;
  }
}

function headers() {
  const token = sessionStorage.getItem(KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

let asking = null;

function askForToken(fault) {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("ask");
    const input = document.getElementById("token");
    document.getElementById("ask-fault").textContent = fault;
    dialog.addEventListener("close", () => {
      sessionStorage.setItem(KEY, input.value.trim());
      input.value = "";
      asking = null;
      resolve();
    }, { once: true });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.showModal();
  });
  return asking;
}

// Partitions that move between workers are back in a moment.
const TRIES = 5;

async function answered(path, options = {}) {
  for (let tries = 1; ; tries += 1) {
    const had = sessionStorage.getItem(KEY);
    const response = await fetch(`/v1/${path}`, { ...options, headers: headers() });
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status === 503 && tries < TRIES) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      continue;
    }
    if (response.status !== 401) throw new Refused(problem, response.status);
    if (had === sessionStorage.getItem(KEY)) await askForToken(had ? problem.detail : "");
  }
}

export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const search = new URLSearchParams(given).toString();
  return (await answered(search ? `${path}?${search}` : path)).json();
}

// What there may not be yet, or ever: null instead of an error.
export async function getIfAny(path, query) {
  try {
    return await get(path, query);
  } catch (error) {
    if (error instanceof Refused && [404, 503].includes(error.status)) return null;
    throw error;
  }
}

// EventSource cannot bear a token, so the stream is read by hand.
export async function listen(path, signal, onEvent) {
  const response = await answered(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const fields = Object.fromEntries(event.split("\n").map((line) => {
        const at = line.indexOf(": ");
        return [line.slice(0, at), line.slice(at + 2)];
      }));
      if (fields.data) onEvent(fields.event, JSON.parse(fields.data));
    }
  }
}
