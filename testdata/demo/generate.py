#!/usr/bin/env python3
"""Generates the demo's exports and what must come of them.

Run it from anywhere, with nothing installed but Python 3.8 or later:

    python3 testdata/demo/generate.py

It writes into its own folder and always writes the same bytes (fixed seed, only random.Random.random, whose sequence
Python promises to keep). It has two halves that share nothing but the files and the table of stores:

1. make_exports writes what an ERP would write, and what the platform knows before;
2. read_exports reads those bytes again, with Python's csv module and by its own understanding of the rules in README.md,
   and writes the goldens: the shelf of every store and the list of issues.

The goldens are therefore not what Gondola says, but what a second reader of the rules says.
"""

import csv
import io
import json
import random
import sys
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 20261121
ARTICLES = 2000
UNKNOWN_TO_PLATFORM = 5  # exported, but the platform has never heard of them
ONLY_ON_PLATFORM = 20  # a store; on the shelf, but not exported
SALES_BUFFER = 1  # a quantity above it puts the article on sale

# Platform id, ERP code, share of the assortment the store carries, factor on the list price.
STORES = [
    ("290056", "001", 1.00, Decimal("1")),
    ("290057", "002", 0.95, Decimal("1.03")),
    ("s8ym", "003", 0.92, Decimal("0.98")),
]
STOCK_FILES = ["001", "003"]  # the second store does not send its stock

HEADER = ["Sucursal", "Cód. Artículo", "Descripción", "Código de barras", "Precio c/IVA", "Activo"]
TITLES = ["Listado de precios al 21/11/2026;;;", "Moneda: pesos, impuestos incluidos;;;"]

# Department: lowest and highest price, products, variants, sizes. No brands, and nobody's real price list.
DEPARTMENTS = [
    ("18", "260", ["Arroz", "Fideos", "Polenta", "Lentejas", "Porotos", "Garbanzos", "Harina", "Azúcar", "Sal", "Maíz"],
     ["", "fino", "integral", "orgánico", "grueso", "selección"], ["250 g", "500 g", "1 kg", "5 kg"]),
    ("35", "890", ["Aceite", "Vinagre", "Mayonesa", "Salsa", "Mostaza", "Aderezo", "Puré de tomate", "Atún", "Sardinas"],
     ["", "suave", "clásico", "con limón", "picante"], ["200 g", "360 g", "500 g", "900 g"]),
    ("40", "1480", ["Café", "Té", "Yerba", "Cacao", "Té de hierbas", "Mate cocido"],
     ["", "molido", "tostado", "en saquitos", "suave"], ["100 g", "250 g", "500 g", "1 kg"]),
    ("25", "640", ["Leche", "Yogur", "Queso", "Manteca", "Crema", "Ricota", "Dulce de leche", "Flan"],
     ["", "entero", "descremado", "sin lactosa", "con vainilla"], ["180 g", "200 ml", "500 g", "1 l"]),
    ("22", "560", ["Galletas", "Bizcochos", "Tostadas", "Alfajores", "Budín", "Caramelos", "Chocolate", "Turrón"],
     ["", "con maní", "de avena", "rellenas", "sin azúcar"], ["90 g", "120 g", "300 g", "6 u"]),
    ("30", "1290", ["Agua", "Jugo", "Gaseosa", "Soda", "Vino", "Sidra", "Agua tónica"],
     ["", "sin gas", "de naranja", "de pomelo", "de limón"], ["500 ml", "1 l", "1,5 l", "6 u"]),
    ("45", "2990", ["Jabón", "Champú", "Detergente", "Lavandina", "Suavizante", "Papel", "Esponja", "Pañales", "Bolsas"],
     ["", "de lavanda", "neutro", "de limón", "doble", "económico"], ["90 g", "400 ml", "1 l", "4 u", "12 u"]),
    ("60", "4990", ["Ñoquis", "Empanadas", "Milanesas", "Hamburguesas", "Pizza", "Helado", "Espinaca", "Filé de pescado"],
     ["", "de verdura", "de pollo", "caseras", "de jamón"], ["500 g", "800 g", "1 kg", "4 u"]),
]
GREENS = ["Manzana", "Banana", "Naranja", "Limón", "Pera", "Ananá", "Papa", "Boniato", "Cebolla", "Zanahoria", "Ají", "Lechuga",
          "Tomate", "Zapallo", "Brócoli", "Melón", "Sandía", "Frutilla", "Ajo", "Albahaca", "Acelga", "Rúcula", "Puerro"]


class Dice:
    """Choices that depend on nothing but the seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def below(self, n):
        return int(self.rng.random() * n)

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


# ---------------------------------------------------------------------------------------------- first half: the exports


def gtin13(number):
    """A GTIN-13 under prefix 952, which GS1 keeps for examples: no product on earth carries it."""
    body = "952%09d" % number
    total = sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body))
    return body + str((10 - total % 10) % 10)


def price_between(dice, low, high):
    low, high = int(low), int(high)
    whole = low + int((high - low) * dice.rng.random() ** 3)
    return Decimal(whole) + Decimal(dice.pick(["0.00", "0.00", "0.00", "0.50", "0.90", "0.99", "0.25"]))


def make_articles(dice):
    """Articles in the order of their codes: (sku, name, barcode, list price)."""
    shapes = []
    for low, high, products, variants, sizes in DEPARTMENTS:
        for product in products:
            for variant in variants:
                for size in sizes:
                    shapes.append((low, high, " ".join(w for w in (product, variant, size) if w), True))
    for product in GREENS:
        for variant in ["", "de primera", "orgánico", "chico"]:
            shapes.append(("28", "390", " ".join(w for w in (product, variant, "kg") if w), False))
    shapes = dice.shuffled(shapes)
    articles = []
    for n in range(ARTICLES + UNKNOWN_TO_PLATFORM + ONLY_ON_PLATFORM):
        low, high, name, packed = shapes[n % len(shapes)]
        if n >= len(shapes):
            name += " II"
        if not packed:
            sku = "V-%04d" % (n + 1)
        elif n % 41 == 0:
            sku = "00%04d" % (n + 1)
        else:
            sku = str(10001 + n)
        barcode = gtin13(n * 7 + 1001) if packed else ""
        articles.append((sku, name, barcode, price_between(dice, low, high)))
    return articles


def cents(price):
    return price.quantize(Decimal("0.01"), ROUND_HALF_UP)


def spoken(price):
    """1234.5 as the ERP writes it: 1.234,50."""
    return "{:,.2f}".format(price).replace(",", "x").replace(".", ",").replace("x", ".")


def plain(price):
    """The amount without trailing zeros, as the goldens write it."""
    text = "{:f}".format(price)
    return text.rstrip("0").rstrip(".") if "." in text else text


def make_exports(folder):
    dice = Dice(SEED)
    articles = make_articles(dice)
    exported = articles[: ARTICLES + UNKNOWN_TO_PLATFORM]
    unknown = {a[0] for a in articles[ARTICLES : ARTICLES + UNKNOWN_TO_PLATFORM]}
    extra = articles[ARTICLES + UNKNOWN_TO_PLATFORM :]

    rows = []  # of the price list: (store, the six cells)
    platform = {}
    for store, code, share, factor in STORES:
        shelf = []
        for sku, name, barcode, listed in exported:
            if sku not in unknown and not dice.chance(share):
                continue
            price = cents(listed * factor)
            active = not dice.chance(0.06)
            rows.append([code, sku, name, barcode, spoken(price), "S" if active else "N"])
            old = price if dice.chance(0.62) else cents(price * Decimal(90 + dice.below(18)) / 100)
            if sku not in unknown:
                shelf.append({"sku": sku, "barcode": barcode, "name": name, "price": plain(old), "active": not dice.chance(0.10)})
        for sku, name, barcode, listed in extra:
            shelf.append({"sku": sku, "barcode": barcode, "name": name, "price": plain(listed), "active": dice.chance(0.5)})
        platform[store] = sorted(shelf, key=lambda a: a["sku"])

    faulty = spoil(rows, platform)
    write_platform(folder / "platform.json", platform)
    write_prices(folder / "precios.csv", rows)
    for code in STOCK_FILES:
        write_stock(folder / ("stock_%s.csv" % code), stock_lines(dice, code, rows, faulty))


def spoil(rows, platform):
    """Puts the mistakes of real life into rows, and returns what the stock says of them: {(store code, sku): text or None}.

    Where a row must be refused, the platform's old values differ from the row's, so that taking it anyway would show; and
    the stock is silent about all of them but one, so that it can't cover a mistake up.
    """
    at = {}
    for i, row in enumerate(rows):
        at.setdefault(row[0], []).append(i)
    ids = {code: store for store, code, _, _ in STORES}
    faulty = {}

    def take(code, nth, **platform_says):
        row = rows[at[code][nth]]
        faulty[(code, row[1])] = None
        for article in platform[ids[code]]:
            if article["sku"] == row[1]:
                article.update(platform_says)
        return row

    take("001", 151, price="88.5", active=True)[4:] = ["consultar", "N"]
    row = take("001", 402, price="312.9", active=False)
    row[4:] = ["0,00", "N"]
    faulty[("001", row[1])] = "12"  # the refused row switches nothing off, and this switches on
    take("001", 777, price="145.5", active=False)[4:] = ["", "S"]
    take("001", 1203, price="61", active=True)[1] = ""
    take("002", 88, barcode="7790000000102")[3] = "7,79E+12"
    row = take("002", 640)
    row[3] = row[3][:-1] + str((int(row[3][-1]) + 3) % 10)
    take("002", 1011, price="410", active=True)[5] = "quizás"
    take("003", 319)[4] = "129,995"
    # A description that is cut in two would shift the price or lose the row.
    take("001", 40)[2] = "Aceite de girasol; botella 900 ml"
    take("001", 41)[2] = 'Cinta "ancha" 5 m; blanca'
    take("001", 42)[2] = "Galletas surtidas\r\ncaja de 12 u"
    take("003", 7)[2] = 'Bolsas "grandes"'
    stranger = list(rows[at["003"][1400]])
    stranger[0] = "009"
    rows.insert(at["003"][1400] + 1, stranger)
    return faulty


def write_prices(path, rows):
    text = io.StringIO()
    for title in TITLES:
        text.write(title + "\r\n")
    out = csv.writer(text, delimiter=";", lineterminator="\r\n")
    out.writerow(HEADER)
    out.writerows(rows)
    total = sum(Decimal(r[4].replace(".", "").replace(",", ".")) for r in rows if r[4] not in ("", "consultar"))
    out.writerow(["TOTAL", "", "%d artículos" % len(rows), "", spoken(total), ""])
    path.write_bytes(text.getvalue().encode("cp1252"))


def stock_lines(dice, code, rows, faulty):
    """(sku, text) of about three quarters of the store's articles; what is odd is said of articles on sale."""
    oddities = {100: "-3", 612: "-1", 901: "3.5", 1000: "0", 1001: "1", 1002: "2"}
    lines = []
    for _, sku, _, _, _, active in (r for r in rows if r[0] == code and r[1]):
        if (code, sku) in faulty:
            if faulty[(code, sku)] is not None:
                lines.append((sku, faulty[(code, sku)]))
        elif dice.chance(0.78):
            usual = "0" if dice.chance(0.05) else "1" if dice.chance(0.03) else str(2 + dice.below(140))
            if active == "S" and oddities and len(lines) >= min(oddities):
                usual = oddities.pop(min(oddities))
            lines.append((sku, usual))
    return lines


def write_stock(path, rows):
    lines = ["sku,stock"] + ["%s,%s" % row for row in rows]
    path.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_platform(path, platform):
    blocks = ['"%s":[\n%s\n]' % (store, ",\n".join(compact(a) for a in articles)) for store, articles in platform.items()]
    text = '{"sales_buffer":%d,"vendors":{\n%s\n}}\n' % (SALES_BUFFER, ",\n".join(blocks))
    path.write_bytes(text.encode("utf-8"))


# ------------------------------------------------------------------------------------- second half: what must come of it


def numbered(text, delimiter):
    """Every row with the line it starts on; the first line is 1."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    start = 1
    for cells in reader:
        yield start, cells
        start = reader.line_num + 1


def check_digit_fits(code):
    weighted = sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(reversed(code)))
    return weighted % 10 == 0


def read_prices(path, issues):
    """The price list: {store: {sku: {"price", "active"}}}, without the rows that are refused."""
    store_of = {code: store for store, code, _, _ in STORES}
    wanted = {store: {} for store, _, _, _ in STORES}
    names = None
    for line, cells in numbered(path.read_bytes().decode("cp1252"), ";"):
        if names is None:
            names = cells if "Cód. Artículo" in cells else None
            continue
        row = dict(zip(names, cells))

        def tell(code, severity, column=""):
            issues.append({"file": path.name, "code": code, "severity": severity, "row": line, "column": column})

        if cells[0].lower().startswith("total") and not row["Cód. Artículo"]:
            tell("G-ROW-03", "note")
            continue
        if row["Sucursal"] not in store_of:
            tell("G-STORE-01", "error", "Sucursal")
            continue
        if not row["Cód. Artículo"]:
            tell("G-KEY-01", "error", "Cód. Artículo")
            continue
        says = price_cell(row["Precio c/IVA"], tell)
        barcode_cell(row["Código de barras"], tell)
        if row["Activo"] not in ("S", "N"):
            tell("G-ACTIVE-01", "error", "Activo")
            says = None
        if says is not None:
            says["active"] = row["Activo"] == "S"
            wanted[store_of[row["Sucursal"]]][row["Cód. Artículo"]] = says
    return wanted


def price_cell(text, tell):
    """What the cell says: {} for nothing, None where it spoils the row. The comma is the decimal sign of this column."""
    if text == "":
        return {}
    try:
        price = Decimal(text.replace(".", "").replace(",", "."))
    except InvalidOperation:
        tell("G-PRICE-01", "error", "Precio c/IVA")
        return None
    if price <= 0:
        tell("G-PRICE-02", "error", "Precio c/IVA")
        return None
    rounded = price.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if rounded != price:
        tell("G-PRICE-05", "note", "Precio c/IVA")
    return {"price": rounded}


def barcode_cell(text, tell):
    """Only an attribute here: the code identifies nothing, so a bad one is told and the row is taken."""
    if "E+" in text:
        tell("G-BARCODE-02", "warning", "Código de barras")
    elif text and not check_digit_fits(text):
        tell("G-BARCODE-01", "warning", "Código de barras")


def read_stock(path, issues):
    stock = {}
    for line, (sku, text) in numbered(path.read_bytes().decode("utf-8"), ","):
        if line == 1:
            continue
        if not sku:
            issues.append({"file": path.name, "code": "G-KEY-01", "severity": "error", "row": line, "column": "sku"})
            continue
        amount = Decimal(text)
        if amount < 0:
            issues.append({"file": path.name, "code": "G-QTY-02", "severity": "warning", "row": line, "column": "stock"})
            amount = Decimal(0)
        elif amount != int(amount):
            issues.append({"file": path.name, "code": "G-QTY-03", "severity": "note", "row": line, "column": "stock"})
        stock[sku] = int(amount)
    return stock


def read_exports(folder):
    issues = []
    wanted = read_prices(folder / "precios.csv", issues)
    stock = {store: {} for store, _, _, _ in STORES}
    for store, code, _, _ in STORES:
        if code in STOCK_FILES:
            stock[store] = read_stock(folder / ("stock_%s.csv" % code), issues)
    platform = json.loads((folder / "platform.json").read_text("utf-8"))

    missing = {}
    (folder / "shelf").mkdir(exist_ok=True)
    for store, articles in platform["vendors"].items():
        buffer = platform["sales_buffer"]
        shelf = [settle(a, wanted[store].get(a["sku"], {}), stock[store].get(a["sku"]), buffer) for a in articles]
        shelf.sort(key=lambda a: a["sku"].encode("utf-8"))
        text = "[\n%s\n]\n" % ",\n".join(compact(a) for a in shelf)
        (folder / "shelf" / (store + ".json")).write_bytes(text.encode("utf-8"))
        known = {a["sku"] for a in articles}
        missing[store] = sorted((set(wanted[store]) | set(stock[store])) - known)
    write_expected(folder / "expected.json", issues, missing)


def settle(before, says, quantity, buffer):
    """One article in the end: the export's word over the platform's; switched off beats stock, stock beats switched on."""
    active = before["active"]
    if says.get("active") is False:
        active = False
    elif quantity is not None:
        active = quantity > buffer
    elif "active" in says:
        active = says["active"]
    price = plain(says["price"]) if "price" in says else before["price"]
    return {"sku": before["sku"], "price": price, "active": active}


def write_expected(path, issues, missing):
    severities = {severity: sum(i["severity"] == severity for i in issues) for severity in ("error", "warning", "note")}
    facts = [
        ("drops", 1 + len(STOCK_FILES)),
        ("issues", len(issues)),
        ("severities", severities),
        ("missing_on_platform", missing),
    ]
    lines = [" %s:%s" % (compact(name), compact(value)) for name, value in facts]
    lines.append(' "list":[\n  %s\n ]' % ",\n  ".join(compact(i) for i in issues))
    path.write_bytes(("{\n%s\n}\n" % ",\n".join(lines)).encode("utf-8"))


def main():
    make_exports(HERE)
    read_exports(HERE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
