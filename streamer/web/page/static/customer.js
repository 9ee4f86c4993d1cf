// One customer: what it is worth, how sure that is, whether it leaves and when, why, what to do.

import { get, getIfAny } from "./api.js";
import { bars, lines } from "./charts.js";
import { BANDS, about, band, card, count, customerLink, dayOf, h, momentOf, money, percent, plain, table } from "./words.js";

const seconds = (text) => new Date(text).getTime() / 1000;

export async function customerView(id) {
  const path = `customers/${encodeURIComponent(id)}`;
  const [known, curve] = await Promise.all([get(path), getIfAny(`${path}/churn-curve`)]);
  const { ltv, churn_risk: risk } = known;
  return [
    h("p", {}, h("a", { href: "#/" }, "All customers")),
    h("h1", {}, known.customer_id),
    h("dl", { class: "kpis", "aria-label": "Figures" }, ...kpis(ltv, risk)),
    h("div", { class: "grid" }, next(known), value(ltv, risk), curve ? churn(curve, risk) : null, why(ltv, risk),
      timeline(known), about_(known), figures(ltv, risk)),
  ];
}

function kpis(ltv, risk) {
  const one = (name, shown, sub) => h("div", { class: "kpi" }, h("dt", {}, name), h("dd", {}, shown), sub ? h("dd", { class: "sub" }, sub) : null);
  const why = (of, name) => of.null_reasons[name] ?? null;
  return [
    one("Worth so far", about(ltv.historic_clv, ltv.currency), `${count(ltv.orders)} ${ltv.orders === 1 ? "order" : "orders"}`),
    one(`Expected in ${Math.round(ltv.horizon_days)} days`, about(ltv.predicted_clv, ltv.currency),
      ltv.predicted_clv == null ? plain(String(why(ltv, "predicted_clv") ?? "not known")) : `${ltv.expected_orders?.toFixed(1)} orders, in ${ltv.predicted_clv_basis}`),
    one("Risk", band(risk.risk_band), risk.next_band_crossing_at ? `worse from ${dayOf(risk.next_band_crossing_at)}` : null),
    one("Leaves", percent(risk.churn_probability), `buys nothing in ${Math.round(risk.horizon_days)} days`),
    one("Win back by", dayOf(risk.win_back_by), risk.expected_date_of_next_order ? `next order about ${dayOf(risk.expected_date_of_next_order)}` : null),
    one("Tier", ltv.loyalty_tier ?? "–", ltv.points_to_next_tier == null ? null : `${count(ltv.points_to_next_tier)} points to ${ltv.next_tier}`),
  ];
}

function next({ recommended, ltv, as_of: now }) {
  const whole = card("Next best action", "half", recommended.suggested_at ? `Since ${dayOf(recommended.suggested_at)}.` : null);
  if (!recommended.actions.length) whole.append(h("p", { class: "empty" }, "Nothing has been suggested."));
  else whole.append(h("ol", { class: "actions" }, recommended.actions.map((one) => h("li", {}, h("strong", {}, plain(one.action)),
    h("div", {}, one.reason),
    h("div", { class: "quiet" }, [one.money_at_stake && `${about(one.money_at_stake, ltv.currency)} at stake`,
      one.deadline && `${one.deadline < now ? "was due" : "by"} ${dayOf(one.deadline)}`].filter(Boolean).join(", "))))));
  return whole;
}

function value(ltv, risk) {
  const days = `the next ${Math.round(ltv.horizon_days)} days`;
  const whole = card("How sure is that?", "half", ltv.predicted_clv == null ? null
    : risk.churn_probability > ltv.interval_level
      ? `In ${percent(risk.churn_probability)} of cases nothing is bought in ${days}, so the interval ends at what is expected on average. Who buys after all spends more.`
      : `In ${percent(ltv.interval_level)} of cases this customer's purchases of ${days} will be worth this much.`);
  if (ltv.predicted_clv == null) {
    whole.append(h("p", { class: "empty" }, `No forecast: ${plain(String(ltv.null_reasons.predicted_clv))}. By formula: ${about(ltv.formula_ltv, ltv.currency)}.`));
    return whole;
  }
  const [low, mean, high] = [ltv.predicted_clv_low, ltv.predicted_clv, ltv.predicted_clv_high].map(Number);
  const end = Math.max(high, mean, 1) * 1.1;
  const span = h("span", { class: "span" });
  const at = h("span", { class: "mean" });
  Object.assign(span.style, { left: `${(low / end) * 100}%`, width: `${((high - low) / end) * 100}%` });
  at.style.left = `${(mean / end) * 100}%`;
  const words = `${about(ltv.predicted_clv_low, ltv.currency)} to ${about(ltv.predicted_clv_high, ltv.currency)}, on average ${about(ltv.predicted_clv, ltv.currency)}`;
  whole.append(h("div", { class: "interval", role: "img", "aria-label": words }, span, at), h("p", {}, words),
    h("p", { class: "quiet" }, `Lifetime value in all ${about(ltv.total_clv, ltv.currency)}; by formula ${about(ltv.formula_ltv, ltv.currency)}.`));
  return whole;
}

function churn(curve, risk) {
  const now = seconds(curve.as_of);
  const marks = [{ at: now, label: "now", colour: "ink" }, ...curve.crossings.filter((one) => one.at)
    .map((one) => ({ at: seconds(one.at), label: one.risk_band, colour: one.risk_band }))];
  const crossings = curve.crossings.filter((one) => one.at && seconds(one.at) > now).map((one) => `${one.risk_band} from ${dayOf(one.at)}`);
  const every = curve.points.filter((_, i) => i % 6 === 0);
  return card("If nothing more is bought", "half",
    `Probability of no purchase within ${Math.round(curve.horizon_days)} days${crossings.length ? `: ${crossings.join(", ")}` : ""}.`,
    lines({
      summary: `Churn probability over time: ${percent(risk.churn_probability)} now, ${percent(curve.points.at(-1).churn_probability)} on ${dayOf(curve.points.at(-1).at)}`,
      x: curve.points.map((one) => seconds(one.at)), format: (share) => percent(share), marks, range: () => [0, 1.05],
      series: [{ label: "churn probability", colour: "accent", values: curve.points.map((one) => one.churn_probability), fill: true }],
      heads: ["Day", "#Leaves", "#Alive", "Risk"],
      rows: every.map((one) => [dayOf(one.at), percent(one.churn_probability, 1), percent(one.probability_alive, 1), band(one.risk_band)]),
    }));
}

function why(ltv, risk) {
  const list = (title, of) => [h("h3", {}, title), h("ul", { class: "reasons" }, of.reasons.map((one) => h("li", {}, one)))];
  const parts = [
    ...(ltv.contributions ?? []).map((one) => ["expected value", one.input, about(one.change, ltv.currency)]),
    ...(risk.contributions ?? []).map((one) => ["churn probability", one.input, `${(one.change * 100).toFixed(1)} points`]),
  ];
  return card("Why", "half", risk.explained_since ? `What has changed since ${momentOf(risk.explained_since)}.` : null,
    ...list("Value", ltv), ...list("Risk", risk),
    parts.length ? h("details", {}, h("summary", {}, "What contributed"), table("Contributions to the change", ["Figure", "By", "#Change"], parts)) : null);
}

function timeline({ history, ltv }) {
  const days = history.days.filter((one) => one.orders || Number(one.refunded));
  const whole = card("Timeline", "half", `First purchase ${dayOf(ltv.first_purchase_at)}, last ${dayOf(ltv.last_purchase_at)}.`);
  if (!days.length) whole.append(h("p", { class: "empty" }, "No purchase of the last year."));
  else whole.append(bars({
    summary: `${days.length} days with purchases, ${dayOf(days[0].day)} to ${dayOf(days.at(-1).day)}`,
    labels: days.map((one) => one.day), values: days.map((one) => Number(one.revenue) - Number(one.refunded)),
    format: (number) => money(number, ltv.currency, 0), height: 200,
    heads: ["Day", "#Orders", "#Revenue", "#Refunded"],
    rows: days.map((one) => [one.day, count(one.orders), money(one.revenue, ltv.currency), money(one.refunded, ltv.currency)]),
  }));
  return whole;
}

function about_(known) {
  const { ltv, history } = known;
  const rows = [
    ["Came by", ltv.acquisition_channel], ["Lives in", ltv.location],
    ["Brought by", history.referred_by && customerLink(history.referred_by)],
    ["Brought", ltv.referred_customers == null ? null : `${count(ltv.referred_customers)} customers worth ${about(ltv.referral_value, ltv.currency)}`],
    ["Last rating", history.last_rating == null ? null : `${history.last_rating} of 5, ${dayOf(history.last_rating_at)}`],
    ["Next category", ltv.next_category], ["Like the best tenth", ltv.profile_closeness == null ? null : percent(ltv.profile_closeness)],
    ...history.experiments.map((one) => [`Experiment ${one.name}`, `${one.value}, ${dayOf(one.at)}`]),
    ...history.attributes.map((one) => [one.name, one.value]),
  ].filter(([, shown]) => shown != null && shown !== "");
  return card("Known of this customer", "half", null,
    h("ul", { class: "chips", "aria-label": "Segments" }, known.segments.filter((one) => one !== "everyone").map((one) => h("li", {}, plain(one)))),
    rows.length ? table("What events have told", ["What", "Said"], rows) : null);
}

function figures(ltv, risk) {
  const shown = (of) => Object.entries(of).filter(([name, figure]) =>
    !["reasons", "contributions", "null_reasons", "cause", "windows", "profile_traits", "schema_version"].includes(name) && typeof figure !== "object");
  const rows = [...shown(ltv), ...shown(risk).filter(([name]) => !(name in ltv))].map(([name, figure]) => [name, String(figure)]);
  const nulls = Object.entries({ ...ltv.null_reasons, ...risk.null_reasons });
  return card("All figures", "", null, h("details", {}, h("summary", {}, `${rows.length} figures, by their names on the wire`),
    table("Figures", ["Field", "Figure"], rows),
    nulls.length ? table("Not known, and why", ["Field", "Reason"], nulls.map(([name, reason]) => [name, plain(String(reason))])) : null));
}
