// Numbers, money and dates in the reader's own manner; and elements without any HTML in strings.

export const BANDS = ["low", "medium", "high", "lapsed"];

const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

export const count = (number) => (number == null ? "–" : whole.format(number));
export const compact = (number) => (number == null ? "–" : short.format(number));
export const percent = (share, digits = 0) => (share == null ? "–" : `${(share * 100).toFixed(digits)}\u00a0%`);
export const dayOf = (text) => (text ? day.format(new Date(text)) : "–");
export const momentOf = (text) => (text ? moment.format(new Date(text)) : "–");
export const plain = (name) => name.replaceAll("_", " ").replace(/\b(rfm|ltv)\b/g, (short) => short.toUpperCase());

export function money(text, currency, digits = 2) {
  if (text == null) return "–";
  return new Intl.NumberFormat(undefined, {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(Number(text));
}

// Large sums need no cents, small ones do.
export const about = (text, currency) => money(text, currency, Math.abs(Number(text)) >= 1000 ? 0 : 2);

export function h(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

export const band = (name) => (name ? h("span", { class: `band ${name}` }, name) : "–");
export const customerLink = (id) => h("a", { href: `#/customer/${encodeURIComponent(id)}` }, id);

let cards = 0;

export function card(title, size, note, ...children) {
  const id = `card-${(cards += 1)}`;
  return h("section", { class: `card ${size}`, "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title)), note && h("p", { class: "note" }, note), ...children);
}

export function table(caption, heads, rows, kind = null) {
  // A head that begins with # is of numbers.
  const numeric = heads.map((head) => head.startsWith("#"));
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": caption },
    h("table", { class: kind }, h("caption", {}, caption),
      h("thead", {}, h("tr", {}, heads.map((head, i) =>
        h("th", { scope: "col", class: numeric[i] ? "num" : null }, head.replace("#", ""))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) =>
        i ? h("td", { class: numeric[i] ? "num" : null }, cell ?? "–")
          : h("th", { scope: "row", class: numeric[i] ? "num" : null }, cell ?? "–")))))));
}
