"""What must be said of the customers of ``shop_story``, row by row, computed by hand.

Customers are scored last at their last event or, if silence took them into another risk band
later, at that crossing: (60 + t_x) · [(1 − q)^(−1/(1 + x)) − 1] days after the last purchase, for
x repeat purchases within t_x days and q = 0.5, 0.8, 0.95. Cleo once more when anna, who brought
her, lapses: the referral is heard of long after, and tells what it would have told in time.
"""

from math import sqrt
from typing import Any

from tests.support.textbook import YEAR, formula_churn, gap_quantile, regularity

Figures = dict[str, dict[str, Any]]

# day of the last score, risk band, x, t_x, age T then
LAPSED, HIGH = 0.95, 0.8
SCORED = {
    "anna": 61 + gap_quantile(LAPSED, 2, 61),  # 61 + 121 · (∛20 − 1) = 268.44
    "bert": 12 + 60 * 4,  # 60 · (5 − 1)
    "cleo": 61 + gap_quantile(LAPSED, 2, 61),  # as anna, behind her own 156.25
    "dora": 70 + 60 * 4,
    "emil": 60 + 60 * 4,
    "finn": 320,  # the rating; even odds come at 315 + 95 · (√2 − 1) = 354.35 only
    "gina": 5 + 60 * 4,
    "hugo": 100 + 160 * (sqrt(5) - 1),  # 297.77
    "ivan": 335,
    "jana": 90 + 120 * (sqrt(5) - 1),  # 238.33
    "kurt": 0 + 70 * (sqrt(20) - 1),  # 243.05
    "lena": 335,
}
FIRST = {
    "anna": 0, "bert": 12, "cleo": 15, "dora": 70, "emil": 60, "finn": 280,
    "gina": 5, "hugo": 0, "ivan": -60, "jana": 30, "kurt": -10, "lena": 300,
}  # fmt: skip
REPEATS = {
    "anna": (2, 61), "bert": (0, 0), "cleo": (1, 30), "dora": (0, 0), "emil": (0, 0),
    "finn": (1, 35), "gina": (0, 0), "hugo": (1, 100), "ivan": (5, 395), "jana": (1, 60),
    "kurt": (1, 10), "lena": (1, 35),
}  # fmt: skip
AGE = {name: float(day - FIRST[name]) for name, day in SCORED.items()}
NET = {
    "anna": 205.0, "bert": 30.0, "cleo": 110.0, "dora": 55.0, "emil": 300.0, "finn": 120.0,
    "gina": 150.9, "hugo": 40.0, "ivan": 240.0, "jana": 50.0, "kurt": 300.0, "lena": 40.0,
}  # fmt: skip
ORDERS = {
    "anna": 3, "bert": 1, "cleo": 2, "dora": 1, "emil": 1, "finn": 2,
    "gina": 1, "hugo": 2, "ivan": 6, "jana": 2, "kurt": 2, "lena": 2,
}  # fmt: skip


def money(amount: float) -> str:
    """Return an amount as the wire has it."""
    return f"{amount:.2f}"


def yearly(name: str, amount: float) -> float:
    """Return what ``amount`` over a customer's tenure makes a year; 30 days at least."""
    return amount * YEAR / max(AGE[name], 30)


V1: Figures = {
    name: {
        "historic_clv": money(NET[name]),
        "orders": ORDERS[name],
        "average_order_value": money(NET[name] / ORDERS[name]),
        "tenure_days": AGE[name],
    }
    for name in SCORED
} | {
    "anna": {
        "revenue": "225.00",  # 100 + 50 + 75
        "refunded": "20.00",
        "refunds": 1,
        "historic_clv": "205.00",
        "margin": "70.00",  # 205 − (60 + 30 + 45)
        "average_order_value": "68.33",  # 205 ÷ 3
        "average_margin": "23.33",  # 70 ÷ 3
        "purchase_frequency": 3 * YEAR / AGE["anna"],
        "first_purchase_at": "2024-01-01T12:00:00Z",
        "last_purchase_at": "2024-03-02T12:00:00Z",  # day 61 of a leap year
    },
    "finn": {  # as of day 320: orders on days 280 and 315
        "windows": {
            "7": {"orders": 1, "revenue": "60.00"},
            "30": {"orders": 1, "revenue": "60.00"},
            "90": {"orders": 2, "revenue": "120.00"},
            "365": {"orders": 2, "revenue": "120.00"},
        },
    },
    "ivan": {  # as of day 335: all orders but that of day −60
        "windows": {
            "7": {"orders": 1, "revenue": "40.00"},
            "30": {"orders": 1, "revenue": "40.00"},
            "90": {"orders": 2, "revenue": "80.00"},
            "365": {"orders": 5, "revenue": "200.00"},
        },
    },
}  # fmt: skip

# AOV × orders a year × 3 years = net a year × 3; on margin m · 0.75 ÷ (1 + 0.1 − 0.75).
LTV = {name: 3 * yearly(name, NET[name]) for name in SCORED if REPEATS[name][0]}
MARGIN_LTV = {
    "anna": yearly("anna", 70) * 0.75 / 0.35,
    "jana": yearly("jana", 5) * 0.75 / 0.35,  # 50 − 18 − 27
}
V2: Figures = {
    name: {"formula_ltv": money(LTV[name]) if name in LTV else None} for name in SCORED
} | {
    "anna": {"formula_ltv": money(LTV["anna"]), "formula_margin_ltv": money(MARGIN_LTV["anna"])},
    "jana": {"formula_margin_ltv": money(MARGIN_LTV["jana"])},
    "finn": {"formula_ltv": "3287.25"},  # 60 · 2 · 365.25/40 · 3
}

BANDS = dict.fromkeys(("bert", "cleo", "dora", "emil", "gina", "hugo", "jana"), "high")
BANDS |= {"anna": "lapsed", "kurt": "lapsed", "finn": "low", "ivan": "low", "lena": "low"}
V4: Figures = {
    name: {
        "risk_band": band,
        "churn_probability": formula_churn(REPEATS[name][0], AGE[name]),
        "silence_quantile": {"high": HIGH, "lapsed": LAPSED}.get(band, 0.0),
    }
    for name, band in BANDS.items()
} | {
    "bert": {  # after 240 days: 300 ÷ 665
        "risk_band": "high", "previous_risk_band": "medium", "churn_probability": 300 / 665,
    },
    "cleo": {  # after 223.44 days of silence
        "risk_band": "high", "silence_quantile": 1 - (90 / (90 + SCORED["cleo"] - 45)) ** 2,
        "referrer_lapsed": True,
    },
    "finn": {"risk_band": "low", "silence_quantile": 1 - (95 / 100) ** 2},  # 5 days of silence
    "kurt": {"risk_band": "lapsed", "previous_risk_band": "high", "next_band_crossing_at": None},
}  # fmt: skip

V5: Figures = {
    "anna": {
        "payment_days_average": 6.0,  # 40 + 60 came by day 10, 50 two days after: (10 + 2) ÷ 2
        "orders_paid": 2,
        "unpaid_orders_overdue": 1,  # day 61's, due on day 75
        "checkout_seconds_average": 60.0,  # (30 + 90) ÷ 2
        "products_paid_for": 4.0,  # 2 shoes + 2 socks + 1 cap − 1 sock
    },
    "bert": {"payment_days_average": None, "orders_paid": None, "checkout_seconds_average": None},
    "ivan": {"products_paid_for": 4.0, "payment_days_average": None},
}
V6: Figures = {
    "anna": {"referral_value": "110.00", "referred_customers": 1},  # cleo: 80 + 40 − 10
    "emil": {"referral_value": "55.00", "referred_customers": 1, "referred_by": None},  # dora
    "cleo": {"referral_value": "0.00", "referred_customers": 0, "referred_by": "anna"},
    "dora": {"referred_by": "emil"},  # day 38 comes before anna's day 40
}
V7: Figures = {
    "anna": {
        "products_bought": 4,  # boot, clog, sock, cap
        "category_depth": 3,
        "products_per_category": 4 / 3,
        "category_growth": None,  # no year before
        "next_category": "bags",  # the second of the catalogue
        "widen_basket": False,  # 68.33 is not below 50
        "categories": ["hats", "shoes", "socks"],
    },
    "ivan": {  # shoes on day −60; since day 335 − 365 = −30 bags and hats are new
        "products_bought": 3, "category_depth": 3, "category_growth": 2, "next_category": "socks",
        "widen_basket": True,  # 240 ÷ 6 = 40
    },
    "bert": {"category_depth": None, "products_bought": None},
}  # fmt: skip
V8: Figures = {
    "hugo": {
        "acquisition_cost": "50.00",  # 40 + 10
        "acquisition_cost_basis": "events",
        "acquisition_channel": "search",  # his purchases name none
        "ltv_to_cac": round(LTV["hugo"], 2) / 50,  # 40 · 365.25/297.77 · 3 = 147.19; ÷ 50 = 2.94
        "ltv_to_cac_basis": "formula_ltv",
        "ltv_below_target": True,
        "acquisition_budget": money(LTV["hugo"] / 3),
        "retention_budget": "0.00",
    },
    "ivan": {  # 240 · 365.25/395 · 3 = 665.77
        "acquisition_cost": "80.00", "acquisition_cost_basis": "channel",
        "acquisition_channel": "fair", "ltv_to_cac": 665.77 / 80, "ltv_below_target": False,
        "acquisition_budget": "221.92", "retention_budget": "141.92",
    },
    "jana": {"acquisition_cost": "0.00", "ltv_to_cac": None},
    "anna": {"ltv_to_cac": None, "acquisition_budget": money(MARGIN_LTV["anna"] / 3)},
}  # fmt: skip
V9: Figures = {
    "finn": {  # 5, and 4 ÷ 10 · 5 = 2
        "ratings": 2, "rating_average": 3.5, "rating_last": 2.0, "rating_flag": "needs_review",
    },
    "emil": {"ratings": 1, "rating_last": 3.5, "rating_flag": "fair"},  # 7 ÷ 10 · 5
    "anna": {"ratings": None},
}  # fmt: skip
V10: Figures = {
    "gina": {  # 180.90 and a share are 205, silver; 30 given back: 150 + 25
        "loyalty_points": 175, "loyalty_tier": "bronze", "next_tier": "silver",
        "points_to_next_tier": 25,
    },
    "anna": {"loyalty_points": 305, "loyalty_tier": "silver", "points_to_next_tier": 695},
    "emil": {"loyalty_points": 400, "loyalty_tier": "silver"},  # 300 and dora
}  # fmt: skip
V11: Figures = {
    "ivan": {
        "regularity": regularity([70, 90, 79, 79, 77]),
        "share_of_wallet_categories": 0.75,  # shoes (day 10), bags, hats of 4
    },
    "anna": {"regularity": None, "share_of_wallet_categories": 0.75},
}
V12: Figures = {
    "anna": {
        "margin_rate": 70 / 205,
        "low_margin_only": False,  # boots: (60 − 36) ÷ 60 = 0.4
        "discounted_orders": 1,
        "discount_only": False,
    },
    "jana": {  # 2 ÷ 20 and 3 ÷ 30
        "margin": "5.00", "margin_rate": 0.1, "low_margin_only": True, "discounted_orders": 2,
        "discount_only": True,
    },
    "bert": {"margin_rate": None, "low_margin_only": None, "discount_only": False},
}  # fmt: skip
V19: Figures = {
    "bert": {  # by silence alone, from day 72 (120 ÷ 485 = 0.247423) to day 252 (300 ÷ 665)
        "explained_since": "2024-03-13T12:00:00Z",
        "previous_churn_probability": 0.247423,
        "contributions": [{"input": "silence", "change": 0.203705}],
    },
}
OF_VALUE = (V1, V2, V5, V6, V7, V8, V9, V10, V11, V12)
OF_RISK = (V4, V19)

# Days since the last purchase make recency 5 up to 30, 4 up to 90, 3 up to 180, 2 up to 365;
# frequency is 1 for one order, 2 for two, 3 for three and four, 4 for five to nine.
ONCE = {"everyone", "one_time_buyers", "rfm_hibernating", "tenure_first_year"}
AGAIN = {"everyone", "repeat_buyers", "tenure_first_year"}
V14 = {
    "anna": AGAIN | {"rfm_at_risk", "late_payers", "referral_advocates"},  # 207 days; 205 and 110
    "bert": ONCE | {"referral_misers"},
    "cleo": AGAIN
    | {"hats_no_shoes", "one_category", "rfm_hibernating", "referral_misers"},  # 223 days
    "dora": ONCE | {"referral_misers"},
    "emil": ONCE | {"lapsed_but_valuable", "referral_affluents"},  # 300, brought 55
    "finn": AGAIN | {"needs_review", "rfm_potential_loyalists", "referral_misers"},
    "gina": ONCE | {"referral_misers"},
    "hugo": AGAIN | {"costly_to_win", "rfm_hibernating", "referral_misers"},  # 198 days
    "ivan": {"everyone", "repeat_buyers", "room_to_widen"}
    | {"tenure_established", "rfm_champions", "referral_misers"},  # 395 days, six orders
    "jana": AGAIN
    | {"discount_buyers", "low_margin_buyers", "rfm_need_attention", "referral_misers"},
    "kurt": AGAIN | {"lapsed_but_valuable", "rfm_hibernating", "referral_affluents"},  # 300
    "lena": AGAIN | {"rfm_potential_loyalists", "referral_misers"},
}

# Name, money at stake and day of the deadline of each action of the last list; outcome before.
V15: dict[str, tuple[list[tuple[str, str | None, float | None]], str | None]] = {
    "anna": ([("leave_alone", None, None)], "expired"),  # the offer, as she lapsed
    "bert": (  # told when risk became medium, on day 72: 30 · 120/485
        [("win_back", money(30 * 120 / 485), 12 + gap_quantile(LAPSED, 0, 0))],
        None,
    ),
    "finn": ([("service_call", "3287.25", 322)], "withdrawn"),  # nothing is sold; LTV by formula
    "ivan": (  # (60 + 395) · (2^(1/6) − 1) = 55.72 days ahead; 5 orders a year · 5.00
        [
            ("cross_sell", "40.00", 335 + gap_quantile(0.5, 5, 395)),
            ("bigger_basket", "25.00", 335 + gap_quantile(0.5, 5, 395)),
        ],
        "purchased",
    ),
    "kurt": ([("leave_alone", None, None)], "expired"),
    "lena": ([("bigger_basket", "10.00", 335 + gap_quantile(0.5, 1, 35))], None),  # 2 · 5.00
}

# The best known lifetime value, of the eight with purchases on two days.
CLV = sum(MARGIN_LTV.get(name, value) for name, value in LTV.items()) / 8
# Customers, new ones, retained ones, revenue of the months of 2024.
V16_MONTHS = {
    "2024-01": (8, 6, None, "540.90"),  # anna, hugo, kurt, gina, ivan, bert, cleo, jana
    "2024-02": (2, 0, 2, "60.00"),  # anna 50 − 20, cleo 40 − 10
    "2024-03": (4, 2, 1, "460.00"),  # anna 75, dora 55, emil 300, jana 30
    "2024-04": (2, 0, 0, "60.00"),  # hugo 20, ivan 40
    "2024-05": (0, 0, 0, "0.00"),
    "2024-06": (1, 0, 0, "40.00"),  # ivan
    "2024-07": (0, 0, 0, "0.00"),
    "2024-08": (0, 0, 0, "0.00"),
    "2024-09": (1, 0, 0, "40.00"),  # ivan
    "2024-10": (2, 2, 0, "70.00"),  # finn 60, lena 10
    "2024-11": (1, 0, 1, "60.00"),  # finn
    "2024-12": (2, 0, 0, "70.00"),  # ivan 40, lena 30
}
