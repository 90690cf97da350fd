"""The tutorial's answers: what each layer must hold, before and after the later order."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources

from sluiceway.jobs.statements import Statement, split

DAY = "20230215"
_SPENT = "2023-02-15 18:42:56"
# order, user, shop, product, fee, placed at, payment, platform, paid at (times of the day)
_ORDERS = (
    (100001, "user_001", 12345, 1, "5000.05", "16:40:56", 2001, 1, "17:40:56"),
    (100002, "user_002", 12346, 2, "4000.04", "15:40:56", 2002, 1, "17:40:56"),
    (100003, "user_003", 12347, 3, "3000.03", "14:40:56", 2003, 0, "17:40:56"),
    (100004, "user_001", 12347, 4, "2000.02", "13:40:56", 2004, 0, "17:40:56"),
    (100005, "user_002", 12348, 5, "1000.01", "12:40:56", 2005, 0, "18:40:56"),
    (100006, "user_001", 12348, 1, "1000.01", "11:40:56", 2006, 0, "18:40:56"),
    (100007, "user_003", 12347, 4, "2000.02", "10:40:56", 2007, 0, "18:40:56"),
)
_LATER = (100008, "user_003", 12345, 5, "6000.02", "09:40:56", 2008, 1, "19:40:56")
PRODUCTS = ("phone_aaa", "phone_bbb", "phone_ccc", "phone_ddd", "phone_eee")

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Check:
    """A query, and its answer as text (NULL is None)."""

    title: str
    query: str
    rows: tuple[Row, ...]


def script(name: str) -> str:
    """Return one of the SQL files that ship with the demo."""
    return (resources.files("sluiceway.jobs") / "sql" / name).read_text(encoding="utf-8")


def layers(later: bool) -> list[Check]:
    """Return the checks of all layers, in the order in which data reach them."""
    return [*ods(later), dwd(later), *dws(later)]


def ods(later: bool) -> list[Check]:
    """Return the checks of the three synced tables."""
    orders = [
        (str(o), user, str(shop), str(product), fee, _at(placed), _SPENT, "1")
        for o, user, shop, product, fee, placed, *_ in _orders(later)
    ]
    pay = [(str(pay), str(o), str(where), _at(paid)) for o, *_, pay, where, paid in _orders(later)]
    products = [(str(n), name) for n, name in enumerate(PRODUCTS, 1)]
    return [
        _check("ODS", "orders", orders, "order_id"),
        _check("ODS", "orders_pay", pay, "pay_id"),
        _check("ODS", "product_catalog", products, "product_id"),
    ]


def dwd(later: bool) -> Check:
    """Return the check of the wide table: every row complete."""
    rows = [
        (str(o), user, str(shop), str(product), PRODUCTS[product - 1], fee, _at(placed), _SPENT)
        + ("1", str(pay), str(platform), _at(paid))
        for o, user, shop, product, fee, placed, pay, platform, paid in _orders(later)
    ]
    return _check("DWD", "dwd_orders", rows, "order_id")


def dws(later: bool) -> list[Check]:
    """Return the checks of the two sums."""
    extra = Decimal("6000.02") if later else Decimal(0)
    users = {"user_001": "8000.08", "user_002": "5000.05", "user_003": Decimal("5000.05") + extra}
    shops = {"12345": Decimal("5000.05") + extra, "12346": "4000.04"}
    shops |= {"12347": "7000.07", "12348": "2000.02"}
    return [
        _check("DWS", "dws_users", [(k, DAY, str(v)) for k, v in users.items()], "user_id"),
        _check("DWS", "dws_shops", [(k, DAY, str(v)) for k, v in shops.items()], "shop_id"),
    ]


def serving(later: bool) -> list[Check]:
    """Return the three questions of the serving step with their answers."""
    queries = [u.text for u in split(script("5_serving.sql")) if isinstance(u, Statement)]
    point, detail, report = queries
    eee = ("2", "7000.03") if later else ("1", "1000.01")
    sums = (("2", "6000.06"), ("1", "4000.04"), ("1", "3000.03"), ("2", "4000.04"), eee)
    return [
        Check("a point: user_001 on the day", point, (("user_001", DAY, "8000.08"),)),
        Check(
            "details: user_001, paid by phone",
            detail,
            (
                ("100006", "phone_aaa", "1000.01", _at("11:40:56")),
                ("100004", "phone_ddd", "2000.02", _at("13:40:56")),
            ),
        ),
        Check(
            "a report: turnover a product",
            report,
            tuple((DAY, name, *row) for name, row in zip(PRODUCTS, sums, strict=True)),
        ),
    ]


def explored(after: str | None = None) -> list[Row]:
    """Return user_001's rows of the DWD table, all or those placed after a time of the day."""
    wanted = [o for o in _ORDERS if o[1] == "user_001" and (after is None or o[5] > after)]
    whole = {row[0]: row for row in dwd(False).rows}
    return [whole[str(o[0])] for o in wanted]


def _orders(later: bool) -> Sequence[tuple[int, str, int, int, str, str, int, int, str]]:
    return (*_ORDERS, _LATER) if later else _ORDERS


def _check(layer: str, table: str, rows: Sequence[Row], key: str) -> Check:
    query = f"SELECT * FROM order_dw.{table} ORDER BY {key}"
    return Check(f"{layer} {table}", query, tuple(rows))


def _at(time: str) -> str:
    return f"2023-02-15 {time}"
