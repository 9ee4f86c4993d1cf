// The whole shop: totals, risk, values, retention, calibration, segments, experiments; kept live.

import { get, getIfAny, listen } from "./api.js";
import { bars, lines } from "./charts.js";
import {
  BANDS, about, band, card, compact, count, customerLink, dayOf, h, momentOf, money, percent, plain, table,
} from "./words.js";

const RENEWED_MS = 5000;
const FEED_MAX = 7;
const COHORTS_SHOWN = 12;
const EXPERIMENTS_SHOWN = 12;

export async function overviewView(signal, say) {
  const [overview, segments, programme, calibration, model, experiments] = await Promise.all([
    get("overview"), get("segments"), getIfAny("programme/all"), getIfAny("calibration"),
    get("model"), getIfAny("experiments"),
  ]);
  const totals = h("dl", { class: "kpis", "aria-label": "Totals" });
  const risk = riskCard();
  const values = card("Lifetime value", "half", "Value so far and predicted together, by customer.");
  const customers = customersCard(segments.segments.map((one) => one.segment));
  const feed = feedCard();
  const members = segmentsCard(customers);

  function renew(now) {
    totals.replaceChildren(...kpis(now, programme, calibration));
    risk.show(now);
    renewed(values, valueChart(now));
    say(stateOf(now));
  }
  renew(overview);
  members.show(segments.segments, overview.customers);
  keep(signal, async () => {
    renew(await get("overview"));
    members.show((await get("segments")).segments, overview.customers);
  }, say);
  follow(signal, feed);
  customers.load();

  return [
    h("h1", {}, "All customers"), totals,
    h("div", { class: "grid" }, risk.card, values, customers.card, feed.card,
      months(programme), cohorts(programme), deciles(calibration, model), members.card,
      ...experimentCards(experiments)),
  ];
}

function stateOf(now) {
  if (!now.as_of) return "No event yet";
  const counted = now.complete ? "" : " · still counting after a start";
  return `As of ${momentOf(now.as_of)} UTC · ${now.model_version}${counted}`;
}

function keep(signal, renew, say) {
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      await renew();
    } catch (error) {
      say(`Not up to date: ${error.message}`);
    }
  }, RENEWED_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

async function follow(signal, feed) {
  while (!signal.aborted) {
    try {
      await listen("changes?kind=churn_risk&per_second_max=4", signal, (kind, data) => feed.take(kind, data));
    } catch {
      // The worker is away, or so are we: try again below.
    }
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
}

// A chart that is there is given new numbers; its table is made anew only while nobody reads it.
function renewed(place, figure) {
  const old = place.querySelector("figure");
  if (old?.querySelector("details[open]")) return;
  if (old) old.replaceWith(figure);
  else place.append(figure);
}

// -- totals ---------------------------------------------------------------------------------

function kpis(now, programme, calibration) {
  const months = (programme?.months ?? []).filter((month) => month.complete);
  const [before, last] = months.slice(-2).length === 2 ? months.slice(-2) : [null, months.at(-1)];
  const off = calibration?.figures.bias_percent;
  const year = Math.round(now.horizon_days);
  const all = programme?.figures;
  return [
    kpi("Customers", count(now.customers), last && `${count(last.new_customers)} new in ${last.month}`),
    kpi("Worth so far", about(now.historic_value, now.currency), all?.clv ? `mean value ${about(all.clv, now.currency)}` : null),
    kpi(`Expected in ${year} days`, now.predicted_value ? about(now.predicted_value, now.currency) : "–",
      now.predicted_value ? (off == null ? null : `${off > 0 ? "+" : ""}${off.toFixed(1)} % off when last checked`) : "once a model is fitted"),
    kpi("At stake", about(now.money_at_stake, now.currency), "customers of medium and high risk"),
    kpi(last ? `Revenue, ${last.month}` : "Revenue, last month", last ? about(last.revenue, now.currency) : "–",
      trend(last?.revenue, before?.revenue)),
    kpi("Retention, monthly", percent(last?.retention_rate, 1), trend(last?.retention_rate, before?.retention_rate)),
  ];
}

function kpi(name, value, sub) {
  return h("div", { class: "kpi" }, h("dt", {}, name), h("dd", {}, value), sub ? h("dd", { class: "sub" }, sub) : null);
}

function trend(now, before) {
  if (now == null || !Number(before)) return null;
  const change = Number(now) / Number(before) - 1;
  const up = change >= 0;
  return h("span", {}, h("span", { class: up ? "up" : "down" }, `${up ? "▲" : "▼"} ${percent(Math.abs(change), 1)}`),
    ` ${up ? "more" : "less"} than the month before`);
}

// -- risk -----------------------------------------------------------------------------------

function riskCard() {
  const now = h("div");
  const course = h("div");
  const whole = card("Risk bands over time", "half", null, now, course);
  let shown = null;
  function show(overview) {
    const total = overview.bands.reduce((sum, one) => sum + one.customers, 0);
    now.replaceChildren(
      h("div", { class: "bar", "aria-hidden": "true" }, overview.bands.map((one) =>
        one.customers ? h("span", { class: one.risk_band, style: { flex: String(one.customers) } }) : null)),
      h("ul", { class: "legend" }, overview.bands.map((one) => h("li", {}, band(one.risk_band),
        ` ${count(one.customers)} (${percent(total ? one.customers / total : null)})`))));
    const key = overview.history.at(-1)?.measured_at;
    if (overview.history.length < 2 || key === shown || course.querySelector("details[open]")) return;
    shown = key;
    course.replaceChildren(...courseChart(overview.history));
  }
  return { card: whole, show };
}

// Two samples of one instant would be one point: then the clock's time tells them apart.
function courseChart(all) {
  const stands = all[0].as_of === all.at(-1).as_of;
  const history = all.filter((one, i) => stands || one.as_of !== all[i + 1]?.as_of);
  const x = history.map((one) => new Date(stands ? one.measured_at : one.as_of).getTime() / 1000);
  let below = history.map(() => 0);
  const stacked = BANDS.map((name) => {
    below = below.map((sum, i) => sum + history[i].bands[name]);
    return { label: name, colour: name, values: below, fill: true, solid: true };
  });
  const recent = history.slice(-12).reverse();
  const axis = stands ? "by the clock: no event has moved time on" : "by the time of the events";
  return [h("p", { class: "note" }, `Since this worker started, ${axis}.`), lines({
    summary: `Customers by risk band, ${momentOf(history[0].as_of)} to ${momentOf(history.at(-1).as_of)}`,
    x, series: stacked.reverse(), format: compact, height: 190,
    heads: ["As of", ...BANDS.map((name) => `#${name}`)],
    rows: recent.map((one) => [momentOf(one.as_of), ...BANDS.map((name) => count(one.bands[name]))]),
  })];
}

function valueChart(now) {
  const first = now.values.findIndex((one) => one.customers);
  const last = now.values.findLastIndex((one) => one.customers);
  const shown = first < 0 ? [] : now.values.slice(first, last + 1);
  if (!shown.length) return h("figure", {}, h("p", { class: "empty" }, "No customer yet."));
  const name = (one) => (one.above == null ? "≤ 0" : one.to == null ? `> ${compact(one.above)}` : `– ${compact(one.to)}`);
  const words = (one) => (one.above == null ? "nothing or less" : one.to == null ? `above ${money(one.above, now.currency, 0)}`
    : `${money(one.above, now.currency, 0)} to ${money(one.to, now.currency, 0)}`);
  return bars({
    summary: `Customers by lifetime value in ${now.currency}`, labels: shown.map(name),
    values: shown.map((one) => one.customers), format: compact, height: 230,
    heads: ["Lifetime value", "#customers"], rows: shown.map((one) => [words(one), count(one.customers)]),
  });
}

// -- customers ------------------------------------------------------------------------------

function customersCard(names) {
  const choice = (label, options, chosen) => {
    const select = h("select", {}, options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
    select.addEventListener("change", () => load());
    return [h("label", { class: "quiet" }, `${label} `, select), select];
  };
  const [bandLabel, bandOf] = choice("Risk", [["", "any"], ...BANDS.map((name) => [name, name])], "high");
  const [segmentLabel, segmentOf] = choice("Segment", [["", "any"], ...names.map((name) => [name, plain(name)])], "");
  const place = h("div");
  const more = h("button", { hidden: true, onclick: () => load(next) }, "More");
  const told = h("p", { class: "note", role: "status" });
  let next = null;
  let rows = [];
  let asked = 0;

  async function load(cursor = null) {
    const turn = (asked += 1);
    const page = await getIfAny("customers", { risk_band: bandOf.value, segment: segmentOf.value, limit: 10, cursor });
    if (turn !== asked || page === null) return;
    rows = cursor ? [...rows, ...page.customers] : page.customers;
    next = page.next_cursor;
    more.hidden = next === null;
    told.textContent = `${count(page.total)} customers, the most money at stake first`;
    place.replaceChildren(rows.length ? customersTable(rows, page.currency) : h("p", { class: "empty" }, "Nobody."));
  }

  function choose(segment) {
    segmentOf.value = segment;
    bandOf.value = "";
    load();
    whole.scrollIntoView({ block: "start" });
  }

  const whole = card("Customers at risk", "two-thirds", null,
    h("div", { class: "filters" }, bandLabel, segmentLabel, told), place, more);
  return { card: whole, load, choose };
}

function customersTable(rows, currency) {
  return table("Customers by money at stake", ["Customer", "#At stake", "Risk", "#Leaves", "#80 % interval", "#So far", "Win back by", "Next"],
    rows.map((one) => [
      customerLink(one.customer_id), about(one.money_at_stake, currency), band(one.risk_band),
      percent(one.churn_probability), one.predicted_clv == null ? "–"
        : `${money(one.predicted_clv_low, currency, 0)} – ${money(one.predicted_clv_high, currency, 0)}`,
      about(one.historic_clv, currency), dayOf(one.win_back_by), one.next_action ? plain(one.next_action) : "–",
    ]), "tight");
}

function feedCard() {
  const list = h("ul", { class: "feed" });
  const empty = h("p", { class: "empty" }, "Waiting for the next change …");
  const whole = card("Just now", "third", "Churn risk as it changes, whether by an event or by silence.", empty, list);
  function take(kind, data) {
    if (kind !== "churn_risk") return;
    empty.hidden = true;
    const why = data.cause.kind === "event" ? data.cause.type : data.cause.kind;
    list.prepend(h("li", {}, customerLink(data.customer_id), band(data.risk_band),
      h("span", { class: "why" }, `${plain(why)}: ${percent(data.churn_probability)} to leave, ${momentOf(data.as_of)}`)));
    while (list.children.length > FEED_MAX) list.lastChild.remove();
  }
  return { card: whole, take };
}

// -- the shop over time ---------------------------------------------------------------------

function months(programme) {
  const told = (programme?.months ?? []).filter((month) => month.complete);
  const whole = card("Revenue by month", "half", "Complete months, net of refunds.");
  if (!told.length) whole.append(h("p", { class: "empty" }, "No month is over yet."));
  else whole.append(bars({
    summary: `Revenue by month in ${programme.currency}`, labels: told.map((one) => one.month),
    values: told.map((one) => Number(one.revenue)), format: compact, height: 300,
    heads: ["Month", "#Revenue", "#Orders", "#Customers", "#New", "#Retention"],
    rows: told.map((one) => [one.month, money(one.revenue, programme.currency), count(one.orders),
      count(one.customers), count(one.new_customers), percent(one.retention_rate, 1)]),
  }));
  return whole;
}

const returning = (cohort) => cohort.months.filter((month) => month.complete && month.month > cohort.cohort);

function cohorts(programme) {
  const told = (programme?.cohorts ?? []).slice(-COHORTS_SHOWN);
  const whole = card("Cohort retention", "half", "Of the customers won in a month, how many bought in each month after it.");
  if (!told.length) {
    whole.append(h("p", { class: "empty" }, "No cohort yet."));
    return whole;
  }
  const longest = Math.max(...told.map((one) => one.months.length));
  const shares = told.flatMap((one) => returning(one).map((month) => month.customers / (one.figures.customers || 1)));
  const most = Math.max(...shares, 0.01);
  const cell = (share) => h("td", { class: "cell", style: { "--share": (share / most).toFixed(3) } }, percent(share));
  const row = (one) => {
    const size = one.figures.customers;
    const after = returning(one);
    return h("tr", {}, h("th", { scope: "row" }, one.cohort), h("td", { class: "num" }, count(size)),
      after.map((month) => cell(size ? month.customers / size : 0)));
  };
  const heads = Array.from({ length: Math.max(longest - 1, 1) }, (_, i) => `+${i + 1}`);
  whole.append(h("div", { class: "heat scroll", tabindex: 0, role: "group", "aria-label": "Cohort retention" },
    h("table", {}, h("caption", {}, "Share of a cohort that bought, by months since its first purchases"),
      h("thead", {}, h("tr", {}, ["Cohort", "Size", ...heads].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, told.map(row)))));
  return whole;
}

function deciles(calibration, model) {
  const whole = card("Is the forecast right?", "half", null);
  if (!calibration) {
    const why = model.params?.reason ?? model.null_reasons.params ?? "The model has not been checked yet: that takes two windows of time.";
    whole.append(h("p", { class: "empty" }, why));
    return whole;
  }
  const { figures } = calibration;
  const told = figures.deciles;
  const two = (number) => number.toFixed(2);
  const words = [
    `${count(Math.round(figures.predicted_total))} purchases were foretold for ${Math.round(figures.window_days)} days, ${count(figures.actual_total)} came.`,
    figures.interval_coverage == null ? "" : `${percent(figures.interval_level)} intervals held for ${percent(figures.interval_coverage)} of customers.`,
    figures.auc == null ? "" : `It ranks buyers with an AUC of ${figures.auc.toFixed(3)}; the date of the last purchase alone with ${figures.recency_auc.toFixed(3)}.`,
  ];
  whole.append(h("p", { class: "note" }, words.join(" ")),
    h("ul", { class: "legend" }, h("li", {}, h("span", { class: "band lapsed" }, "foretold")), h("li", {}, h("span", { class: "band low" }, "came"))),
    lines({
      summary: "Purchases foretold and purchases that came, by tenth of the customers", time: false, height: 200,
      x: told.map((_, i) => i + 1), format: (number) => compact(number),
      series: [{ label: "foretold", colour: "lapsed", values: told.map((one) => one.predicted_mean), points: true, dash: [6, 4] },
        { label: "came", colour: "low", values: told.map((one) => one.actual_mean), points: true }],
      heads: ["Tenth", "#Foretold", "#Came", "#Customers"],
      rows: told.map((one, i) => [String(i + 1), two(one.predicted_mean), two(one.actual_mean), count(one.customers)]),
    }));
  return whole;
}

// -- segments and experiments ---------------------------------------------------------------

function segmentsCard(customers) {
  const list = h("ul", { class: "meters" });
  const whole = card("Segments", "half", "Choose one to see its customers.", list);
  const shown = new Map();
  function show(segments) {
    const most = Math.max(...segments.map((one) => one.customers), 1);
    for (const one of segments.filter((segment) => segment.segment !== "everyone")) {
      let entry = shown.get(one.segment);
      if (!entry) {
        const bar = h("span");
        const number = h("span", { class: "num" });
        const button = h("button", { type: "button", onclick: () => customers.choose(one.segment) },
          h("span", {}, plain(one.segment)), number, h("span", { class: "track", "aria-hidden": "true" }, bar));
        entry = { bar, number, item: h("li", {}, button) };
        shown.set(one.segment, entry);
        list.append(entry.item);
      }
      entry.number.textContent = count(one.customers);
      entry.bar.style.width = `${(one.customers / most) * 100}%`;
      entry.item.hidden = !one.customers;
    }
  }
  return { card: whole, show };
}

function experimentCards(told) {
  const experiments = told?.experiments ?? [];
  if (!experiments.length) return [card("Experiments", "half", null, h("p", { class: "empty" }, "No event has named an experiment yet."))];
  return experiments.slice(0, EXPERIMENTS_SHOWN).map((one) => {
    const arms = Object.entries(one.arms).map(([arm, customers]) => `${arm} ${count(customers)}`).join(", ");
    return card(`Experiment ${one.experiment}`, "half", `Customers: ${arms}; ${one.window_days} days after they saw it.`,
      one.trustworthy ? null : h("p", { class: "fault" }, "The arms are not of the sizes planned: believe no uplift here."),
      ...one.comparisons.map((comparison) => table(`${comparison.arm} against ${one.control}`, ["Measure", "Verdict", "In words"],
        comparison.uplifts.map((uplift) => [plain(uplift.metric), plain(uplift.verdict), uplift.sentence]))));
  });
}
