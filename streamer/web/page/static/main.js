// Which view is shown: #/ is the whole shop, #/customer/ID one customer.

import { Refused } from "./api.js";
import { customerView } from "./customer.js";
import { overviewView } from "./overview.js";
import { h } from "./words.js";

const main = document.getElementById("main");
const state = document.getElementById("state");
let leave = new AbortController();

export function say(words) {
  if (state.textContent !== words) state.textContent = words;
}

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const customer = location.hash.match(/^#\/customer\/(.+)$/);
  try {
    const content = customer ? await customerView(decodeURIComponent(customer[1])) : await overviewView(signal, say);
    if (signal.aborted) return;
    main.replaceChildren(...content);
  } catch (error) {
    if (signal.aborted) return;
    const unknown = error instanceof Refused && error.status === 404;
    main.replaceChildren(
      h("h1", {}, unknown ? "No such customer" : "This cannot be shown"),
      h("p", { class: "fault", role: "alert" }, error.message),
      h("p", {}, h("a", { href: "#/" }, "Back to all customers"), unknown ? null : " · ",
        unknown ? null : h("button", { onclick: show }, "Try again")));
  }
  const heading = main.querySelector("h1");
  document.title = customer && heading ? `${heading.textContent} - streamer` : "streamer";
  if (moved) main.focus({ preventScroll: true });
  if (moved) scrollTo(0, 0);
}

let moved = false;
addEventListener("hashchange", () => {
  moved = true;
  show();
});
document.getElementById("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = new FormData(event.target).get("customer").trim();
  if (id) location.hash = `#/customer/${encodeURIComponent(id)}`;
});
show();
