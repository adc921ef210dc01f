#!/usr/bin/env python3
"""Generates the demo's exports and what must come of them.

Run it from anywhere, with nothing installed but Python 3.8 or later:

    python3 testdata/demo/generate.py

It writes into its own folder and always writes the same bytes (fixed seed, only random.Random.random, whose sequence
Python promises to keep). The two workbooks are saved by LibreOffice, as store staff would, and are made anew only when
asked for, for it puts the time into them (Debian: libreoffice-calc-nogui):

    python3 testdata/demo/generate.py --workbooks

It has two halves that share nothing but the files and the table of stores:

1. make_exports writes what an ERP would write, and what the platform knows before;
2. read_exports reads those bytes again, with Python's csv, zipfile and xml modules and by its own understanding of the
   rules in README.md, and writes the goldens: shelf and promotions of every store, and the list of issues.

The goldens are therefore not what Gondola says, but what a second reader of the rules says.
"""

import csv
import io
import json
import random
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
import zipfile
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from xml.sax.saxutils import escape

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
STOCK_FILES = ["001", "003"]  # the second store keeps its stock in a workbook
STOCK_BOOK = ("stock_002.xlsx", "002")
PROMOTIONS_BOOK = "promociones.xlsx"

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
    name, code = STOCK_BOOK
    stock = stock_sheet(stock_lines(dice, code, rows, faulty))
    promotions = promotion_sheet(dice, rows, platform, faulty)
    if "--workbooks" in sys.argv[1:]:
        save_workbook(folder / name, stock)
        save_workbook(folder / PROMOTIONS_BOOK, promotions)


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
    take("003", 319)[4] = "129,9951"
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


def code_cell(sku):
    """A code as people have it in a sheet: a number where it looks like one and loses nothing by it."""
    return int(sku) if sku.isdigit() and sku[0] != "0" else sku


def stock_sheet(lines):
    """The stock of one store, with a title and a cell that is calculated."""
    rows = [["Stock de la sucursal Puerto"], [], ["Código", "Existencia"]]
    for n, (sku, text) in enumerate(lines):
        amount = float(text) if "." in text else int(text)
        rows.append([code_cell(sku), ("of:=%d*6" % (amount // 6), amount // 6 * 6) if n == 17 else amount])
    return [("Stock", rows)]


PROMOTION_HEADER = ["Sucursal", "Código", "Artículo", "Campaña", "Oferta", "Precio oferta", "Desde", "Hasta"]


def promotion_sheet(dice, rows, platform, faulty):
    """What the three stores offer: by words, by price, with a few mistakes; behind a sheet that explains it."""
    ids = {code: store for store, code, _, _ in STORES}
    guide = [["Promociones de la cadena"], ["Una fila por artículo y sucursal. En Oferta: 3x2, 2x1, 2da al 50%, -20%; o el precio en Precio oferta."]]
    sheet = [PROMOTION_HEADER]
    whole, later = (date(2026, 1, 1), date(2035, 12, 31)), (date(2035, 12, 1), date(2035, 12, 31))
    for _, code, _, _ in STORES:
        known = {a["sku"] for a in platform[ids[code]]}
        fit = [r for r in rows if r[0] == code and r[5] == "S" and r[1] in known and (code, r[1]) not in faulty and r[4] != ""]
        for n, row in enumerate(dice.shuffled(fit)[:24]):
            price = Decimal(row[4].replace(".", "").replace(",", "."))
            offer, final = ["3x2", "2x1", "2da al 50%", "-20%", "", ""][n % 6], ""
            if offer == "":
                final = float(cents(price * Decimal(85 if n % 2 else 90) / 100))
            campaign, days = ("Verano", later) if n % 8 == 7 else ("Ofertas de la casa", whole)
            sheet.append([code, code_cell(row[1]), row[2], campaign, offer, final, days[0], days[1]])
    # What goes wrong: an offer that nobody understands, dates in the wrong order, a price that is no offer.
    sheet[5][4] = "3x"
    sheet[9][6], sheet[9][7] = sheet[9][7], sheet[9][6]
    dear = next(r for r in sheet[1:] if r[0] == "003" and r[5] != "")
    dear[5] = 99999.0
    return [("Leer primero", guide), ("Promociones", sheet)]


def save_workbook(path, sheets):
    """Has LibreOffice save sheets as .xlsx. A cell is a text, a number, a date, or a formula with its value."""
    parts = []
    for name, rows in sheets:
        lines = []
        for row in rows:
            cells = "".join(odf_cell(c) for c in row)
            lines.append("<table:table-row>%s</table:table-row>" % (cells or "<table:table-cell/>"))
        parts.append('<table:table table:name="%s"><table:table-column/>%s</table:table>' % (escape(name), "".join(lines)))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
        ' xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"'
        ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
        ' xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
        ' office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">'
        '<office:automatic-styles><number:date-style style:name="D"><number:day number:style="long"/><number:text>/</number:text>'
        '<number:month number:style="long"/><number:text>/</number:text><number:year number:style="long"/></number:date-style>'
        '<style:style style:name="day" style:family="table-cell" style:data-style-name="D"/></office:automatic-styles>'
        "<office:body><office:spreadsheet>%s</office:spreadsheet></office:body></office:document>" % "".join(parts)
    )
    with tempfile.TemporaryDirectory() as temp:
        source = Path(temp) / (path.stem + ".fods")
        source.write_text(text, "utf-8")
        subprocess.run(
            ["soffice", "-env:UserInstallation=file://%s/profile" % temp, "--headless", "--convert-to",
             "xlsx:Calc MS Excel 2007 XML", "--outdir", str(path.parent), str(source)], check=True, stdout=subprocess.DEVNULL)


def odf_cell(value):
    formula = ""
    if isinstance(value, tuple):
        formula, value = ' table:formula="%s"' % value[0], value[1]
    if isinstance(value, date):
        return '<table:table-cell table:style-name="day" office:value-type="date" office:date-value="%s"/>' % value.isoformat()
    if isinstance(value, (int, float)):
        return '<table:table-cell%s office:value-type="float" office:value="%s"/>' % (formula, value)
    if value == "":
        return "<table:table-cell/>"
    return '<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>' % escape(value)


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


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_workbook(path, sheet):
    """The rows of a workbook's sheet: [(row number, {column letter: value})], numbers as Decimal."""
    book = zipfile.ZipFile(path)
    names = [s.get("name") for s in xml.fromstring(book.read("xl/workbook.xml")).iter(SHEET + "sheet")]
    shared = []
    if "xl/sharedStrings.xml" in book.namelist():
        for item in xml.fromstring(book.read("xl/sharedStrings.xml")).iter(SHEET + "si"):
            shared.append("".join(t.text or "" for t in item.iter(SHEET + "t")))
    rows = []
    for row in xml.fromstring(book.read("xl/worksheets/sheet%d.xml" % (names.index(sheet) + 1))).iter(SHEET + "row"):
        cells = {}
        for cell in row.iter(SHEET + "c"):
            value = cell.find(SHEET + "v")
            if value is not None:
                text = shared[int(value.text)] if cell.get("t") == "s" else Decimal(value.text)
                cells[re.match("[A-Z]+", cell.get("r")).group()] = text
        rows.append((int(row.get("r")), cells))
    return rows


def said(value):
    """A cell's value as text; a whole number without its point."""
    if isinstance(value, Decimal):
        return str(int(value)) if value == int(value) else str(value)
    return value or ""


def read_stock_book(path, issues):
    stock, names = {}, None
    for line, cells in read_workbook(path, "Stock"):
        if names is None:
            names = {v: k for k, v in cells.items()} if "Código" in cells.values() else None
            continue
        amount = cells[names["Existencia"]]
        if amount < 0:
            issues.append({"file": path.name, "code": "G-QTY-02", "severity": "warning", "row": line, "column": "Existencia"})
            amount = Decimal(0)
        elif amount != int(amount):
            issues.append({"file": path.name, "code": "G-QTY-03", "severity": "note", "row": line, "column": "Existencia"})
        stock[said(cells[names["Código"]])] = int(amount)
    return stock


# What the wordings mean: type, sub-type, how many at full price, how many at the benefit, the discount.
WORDINGS = {
    "3x2": ("same_item_bundle", "free_item", 2, 1, ""),
    "2x1": ("same_item_bundle", "free_item", 1, 1, ""),
    "2da al 50%": ("same_item_bundle", "percentage_value_off", 1, 1, "50"),
    "-20%": ("strikethrough", "", 0, 0, ""),
}


def read_promotions(path, wanted, issues):
    """What must run in each store: {store: [promotion]}."""
    store_of = {code: store for store, code, _, _ in STORES}
    found = {store: [] for store, _, _, _ in STORES}
    names, told = None, set()
    for line, cells in read_workbook(path, "Promociones"):
        if names is None:
            names = {v: k for k, v in cells.items()}
            continue
        row = {name: cells.get(letter, "") for name, letter in names.items()}
        store, sku = store_of[row["Sucursal"]], said(row["Código"])

        def tell(code, severity, column=""):
            issues.append({"file": path.name, "code": code, "severity": severity, "row": line, "column": column})

        days = [date(1899, 12, 30) + timedelta(int(row[name])) for name in ("Desde", "Hasta")]
        good = days[0] <= days[1]
        if not good:
            tell("G-DATE-04", "error", "Hasta")
        promotion = {"sku": sku, "campaign_name": row["Campaña"], "start": "%s 00:00:00" % days[0], "end": "%s 23:59:59" % days[1]}
        normal = wanted[store][sku]["price"]
        if row["Oferta"]:
            if row["Oferta"] not in WORDINGS:
                tell("G-PROMO-02", "error", "Oferta")
                continue
            if row["Oferta"] not in told:
                told.add(row["Oferta"])
                tell("G-PROMO-03", "note", "Oferta")
            kind, benefit, buy, get, discount = WORDINGS[row["Oferta"]]
            promotion.update({"promotion_type": kind, "promotion_sub_type": benefit, "buy": buy, "benefit": get, "bundle_discount": discount})
            price = plain(cents(normal * Decimal("0.8"))) if kind == "strikethrough" else ""
        else:
            final = Decimal(str(row["Precio oferta"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
            promotion.update({"promotion_type": "strikethrough", "promotion_sub_type": "", "buy": 0, "benefit": 0, "bundle_discount": ""})
            price = plain(final)
            if good and final >= normal:
                tell("G-PROMO-08", "error")
                good = False
        promotion["discounted_price"] = price
        if good:
            found[store].append(promotion)
    return found


def write_promotions(folder, found):
    folder.mkdir(exist_ok=True)
    for store, promotions in found.items():
        promotions.sort(key=lambda p: p["sku"].encode("utf-8"))
        text = "[\n%s\n]\n" % ",\n".join(compact(p) for p in promotions)
        (folder / (store + ".json")).write_bytes(text.encode("utf-8"))


def read_exports(folder):
    issues = []
    wanted = read_prices(folder / "precios.csv", issues)
    stock = {store: {} for store, _, _, _ in STORES}
    for store, code, _, _ in STORES:
        if code in STOCK_FILES:
            stock[store] = read_stock(folder / ("stock_%s.csv" % code), issues)
        elif code == STOCK_BOOK[1]:
            stock[store] = read_stock_book(folder / STOCK_BOOK[0], issues)
    promotions = read_promotions(folder / PROMOTIONS_BOOK, wanted, issues)
    write_promotions(folder / "promotions", promotions)
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
        ("drops", 3 + len(STOCK_FILES)),
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
