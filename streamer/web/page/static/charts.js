// Charts by uPlot: canvases with words beside them. What is drawn stands in a table, too.

import { h, table } from "./words.js";

const drawn = new Set();
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const FONT = "12px system-ui, sans-serif";

dark.addEventListener("change", () => drawn.forEach((chart) => chart.draw()));
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) target.chart?.fit();
});

class Chart {
  constructor(place, height, options, data) {
    Object.assign(this, { place, height, options, data, plot: null });
    place.chart = this;
    sizes.observe(place);
    drawn.add(this);
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.place.isConnected) {
      sizes.unobserve(this.place);
      drawn.delete(this);
      return;
    }
    const width = this.place.clientWidth;
    if (width) this.plot = new uPlot({ width, height: this.height, ...this.options() }, this.data, this.place);
  }

  fit() {
    if (!this.place.isConnected) this.draw();
    else if (!this.plot) this.draw();
    else if (this.plot.width !== this.place.clientWidth)
      this.plot.setSize({ width: this.place.clientWidth, height: this.height });
  }

  show(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.draw();
  }
}

const axis = (given = {}) => ({
  stroke: colour("soft"), font: FONT, grid: { stroke: colour("grid"), width: 1 },
  ticks: { show: false }, ...given,
});

// A chart with its words: `summary` says what a picture shows, `rows` are its numbers.
function figure(summary, height, options, data, heads, rows) {
  const place = h("div", { class: "chart", role: "img", "aria-label": summary });
  place.style.height = `${height}px`;
  const chart = new Chart(place, height, options, data);
  const numbers = h("details", {}, h("summary", {}, "As a table"), table(summary, heads, rows));
  const whole = h("figure", {}, place, numbers);
  whole.chart = chart;
  return whole;
}

const cursor = { show: false };
const base = () => ({ cursor, legend: { show: false }, padding: [10, 12, 0, 0] });

// Of a time axis, in the reader's manner, in UTC as all instants of the page.
const inUtc = (given) => new Intl.DateTimeFormat(undefined, { ...given, timeZone: "UTC" });
const MONTH = inUtc({ month: "short", year: "numeric" });
const DATE = inUtc({ day: "numeric", month: "short" });
const TIME = inUtc({ hour: "2-digit", minute: "2-digit" });
const SECOND = inUtc({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const [MINUTE, DAY] = [60, 86_400];
const tzDate = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");

function times(ticks) {
  const apart = ticks.length > 1 ? ticks[1] - ticks[0] : DAY;
  const time = apart < MINUTE ? SECOND : TIME;
  return ticks.map((tick) => (apart >= 28 * DAY ? MONTH : tick % DAY ? time : DATE).format(tick * 1000));
}

export function lines({ summary, x, series, time = true, height = 220, format, heads, rows, marks = [], range }) {
  const options = () => ({
    ...base(), tzDate, padding: [10, 30, 0, 0], // the last label needs room
    scales: { x: { time }, y: { range: range ?? ((_, low, high) => [Math.min(0, low), high * 1.08 || 1]) } },
    axes: [axis(time ? { size: 30, space: 76, values: (_, ticks) => times(ticks) } : { size: 30, values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? t : "")) }),
      axis({ size: 58, values: (_, ticks) => ticks.map(format) })],
    series: [{}, ...series.map((one) => ({
      label: one.label, stroke: colour(one.colour), width: 2, dash: one.dash,
      fill: one.fill ? colour(one.colour) + (one.solid ? "" : "22") : undefined,
      points: { show: Boolean(one.points), size: 7, fill: colour(one.colour) },
    }))],
    bands: series.flatMap((one, i) => (one.over ? [{ series: [i + 1, i + 2], fill: colour(one.colour) + "cc" }] : [])),
    hooks: { draw: [(plot) => marks.forEach((mark, i) => vertical(plot, mark, i))] },
  });
  return figure(summary, height, options, [x, ...series.map((one) => one.values)], heads, rows);
}

function vertical(plot, { at, label, colour: name }, place) {
  const x = plot.valToPos(at, "x", true);
  const { left, top, width, height } = plot.bbox;
  if (x < left || x > left + width) return;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour(name);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  const right = x + ctx.measureText(label).width + 6 > left + width;
  ctx.textAlign = right ? "right" : "left";
  // Each on a line of its own: two may fall together.
  ctx.fillText(label, x + (right ? -4 : 4) * devicePixelRatio, top + height - (10 + 13 * place) * devicePixelRatio);
  ctx.restore();
}

export function bars({ summary, labels, values, height = 220, format, heads, rows, name = "accent" }) {
  const x = values.map((_, i) => i);
  const options = () => ({
    ...base(), padding: [10, 30, 0, 0], // the last label needs room
    scales: { x: { time: false, range: [-0.6, values.length - 0.4] }, y: { range: (_, low, high) => [0, high * 1.08 || 1] } },
    axes: [axis({ size: 30, grid: { show: false }, splits: () => x, values: (plot) => fitting(plot, labels) }),
      axis({ size: 58, values: (_, ticks) => ticks.map(format) })],
    series: [{}, { stroke: colour(name), fill: colour(name) + "bb", width: 0, points: { show: false },
      paths: uPlot.paths.bars({ size: [0.85, 60], radius: 0.15 }) }],
  });
  return figure(summary, height, options, [x, values], heads, rows);
}

// As many labels as there is room for.
function fitting(plot, labels) {
  const longest = Math.max(...labels.map((label) => label.length), 1) * 7 + 8;
  const every = Math.max(1, Math.ceil((labels.length * longest) / Math.max(plot.width - 70, 1)));
  return labels.map((label, i) => (i % every ? "" : label));
}
