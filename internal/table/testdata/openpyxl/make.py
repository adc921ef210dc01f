"""Writes workbooks with openpyxl, and for each <name>.xlsx a <name>.cells with what was put into it.

A .cells file has one JSON object a line: of a sheet, {"sheet", "hidden"}; of a cell that holds something, {"sheet", "cell", "kind",
"value"} and, where they are not as usual, "shown", "formula", "row_hidden", "column_hidden" and "inexact". The value of a date is
left out, since the serial is the library's own business. All articles are invented.
"""

import datetime as dt
import json
import re
import zipfile
from decimal import Decimal

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

PADDED = "0000000000000"


def plain(number):
    """Returns a number in full, without exponent or superfluous zeros."""
    text = format(Decimal(str(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Book:
    """A workbook and what is in it."""

    def __init__(self, name, write_only=False):
        self.name = name
        self.book = openpyxl.Workbook(write_only=write_only)
        self.cells = []
        if not write_only:
            self.book.remove(self.book.active)

    def sheet(self, title, state="visible"):
        sheet = self.book.create_sheet(title)
        sheet.sheet_state = state
        self.cells.append({"sheet": title, "hidden": state != "visible"})
        return sheet

    def want(self, sheet, ref, kind, value, **more):
        self.cells.append({"sheet": sheet.title, "cell": ref, "kind": kind, **({} if value is None else {"value": value}), **more})

    def put(self, sheet, ref, value, format=None, **more):
        """Puts a value into a cell, and notes what must come out."""
        cell = sheet[ref]
        cell.value = value
        self.note(sheet, ref, value, **more)
        if format:
            cell.number_format = format
        return cell

    def note(self, sheet, ref, value, **more):
        if isinstance(value, bool):
            kind, text = "bool", "1" if value else "0"
            more.setdefault("shown", "TRUE" if value else "FALSE")
        elif isinstance(value, (int, float, Decimal)):
            kind, text = "number", plain(value)
        elif isinstance(value, (dt.datetime, dt.date, dt.time, dt.timedelta)):
            kind, text = "date", None
            more.setdefault("shown", str(value))
        else:
            kind, text = "text", value
        self.want(sheet, ref, more.pop("kind", kind), more.pop("text", text), **more)

    def save(self):
        self.book.properties.creator = "gondola"
        self.book.properties.created = dt.datetime(2026, 11, 22)
        path = self.name + ".xlsx"
        self.book.save(path)
        freeze(path)
        self.save_cells()

    def save_cells(self):
        with open(self.name + ".cells", "w", encoding="utf-8") as f:
            for cell in self.cells:
                f.write(json.dumps(cell, ensure_ascii=False) + "\n")


def freeze(path, change=lambda parts: parts):
    """Takes the time of writing out of a package, and lets its parts be changed."""
    with zipfile.ZipFile(path) as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    core = parts["docProps/core.xml"]
    parts["docProps/core.xml"] = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2026-11-22T00:00:00Z", core)
    with zipfile.ZipFile(path, "w") as z:
        for name, content in change(parts).items():
            z.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def articles(b):
    """A price list as it is, with all that may stand around it."""
    s = b.sheet("Artículos & precios")
    b.put(s, "A1", "Lista de precios  ")
    s.merge_cells("A1:F1")
    for i, head in enumerate(["Código", "Barras", "Nombre", "Precio", "IVA", "Vigencia"]):
        b.put(s, get_column_letter(i + 1) + "3", head)
    for row, (code, bars, name, price) in enumerate([
        (1001, 7790001000019, "Galletitas de limón 170 g", 1250.5),
        (1002, 7790001000026, "Yerba «La Inventada» 1 kg", 10.29),
        (1003, 12345670, "Ñandú de peluche <grande> & \"suave\"", 0.1),
        (1004, 7790001000040, "Açúcar mascavo", 99999.99),
    ], start=4):
        b.put(s, f"A{row}", code)
        b.put(s, f"B{row}", bars, PADDED if bars < 10**12 else "General", **({"shown": "0000012345670"} if bars < 10**12 else {}))
        b.put(s, f"C{row}", name)
        b.put(s, f"D{row}", price, '"$"#,##0.00;[Red]-"$"#,##0.00')
        b.put(s, f"E{row}", 0.21, "0%", shown="21%")
        b.put(s, f"F{row}", dt.date(2026, 11, row), "dd/mm/yyyy")
    s.row_dimensions[9].height = 30  # formatted and not filled
    s["A9"].number_format = "0.00"
    s.auto_filter.ref = "A3:F7"
    s.freeze_panes = "A4"
    s["A4"].comment = Comment("código interno", "gondola")
    s["C4"].hyperlink = "http://example.invalid/galletitas"
    validation = DataValidation(type="list", formula1='"0,0.105,0.21"')
    s.add_data_validation(validation)
    validation.add("E4:E7")
    # The format of a rule has a number of its own, which here is one that the cells use for another code: 164 is the first.
    rule = DifferentialStyle(numFmt=NumberFormat(numFmtId=164, formatCode="yyyy-mm-dd"))
    s.conditional_formatting.add("B4:B7", Rule(type="expression", dxf=rule, formula=["$D4>1000"]))


def numbers(b):
    s = b.sheet("Números")
    for row, (value, format, more) in enumerate([
        (1001, "General", {}),
        (1001, "@", {}),
        ("1001", "@", {}),
        ("007", "@", {}),
        (1001.0, "General", {"text": "1001"}),
        (7790001000019, "General", {}),
        (7790001000019, "0.00E+00", {}),
        (42, PADDED, {"shown": "0000000000042"}),
        (7, "000;-000", {"shown": "007"}),
        (-7, "000;-000", {}),
        (1.5, "# ?/?", {}),
        (1.5, "# ??/??", {}),
        (0.155, "0.0%", {"shown": "15.5%"}),
        (-0.05, "0%", {"shown": "-5%"}),
        (-12.34, "#,##0.00;[Red]-#,##0.00", {}),
        (1234567.891, '_-[$$-2C0A] * #,##0.00_-;-[$$-2C0A] * #,##0.00_-', {}),
        (1234.5, '"R$" #,##0.00', {}),
        (2345678, "000-0000", {}),
        (0, "General", {}),
        (-0.0, "General", {"text": "0"}),
        (1e-7, "General", {}),
        (1.5e300, "General", {"text": "15" + "0" * 299, "inexact": True}),
        (0.1 + 0.2, "General", {"text": "0.3"}),
        # Written as 1.234567890123457e+17; of the digits fifteen count.
        (123456789012345678, "General", {"text": "123456789012346000", "inexact": True}),
        (9007199254740991, "General", {}),
        (Decimal("12.30"), "0.00", {"text": "12.3"}),
        (3, '0 "unidades"', {}),
        (True, "General", {}),
        (False, "0", {}),
    ], start=1):
        b.put(s, f"B{row}", value, format, **more)


def texts(b):
    s = b.sheet("Textos")
    for row, (text, want) in enumerate([
        (" delante", None), ("detrás ", None), ("\tsangrado", None), ("línea\nnueva", None), ("1.234,50", None), ("1/2", None),
        ("TRUE", None), ("🍋 limón", None), ("&amp; <b>", None), ("ññ" * 300, None), ("'apóstrofo", None), ("e\u0301", None),
        # What the library does not mask means a carriage return to whoever reads the file, Excel included.
        ("a_x000D_b", "a\rb"), ("_x005F_x000D_", "_x000D_"), ("_xZZZZ_", None), ("_x41_", None),
    ], start=1):
        b.put(s, f"A{row}", text, text=want or text)
    b.put(s, "C1", "=1+1", text="=1+1").data_type = "s"
    b.put(s, "C2", "007").quotePrefix = 1
    s["C3"].value = ""
    for row, code in enumerate(["#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"], start=4):
        b.put(s, f"C{row}", code, kind="error")


def formulas(b):
    """The library never calculates: none of these has a value."""
    s = b.sheet("Fórmulas")
    b.put(s, "A1", 2)
    for ref, formula in [("B1", "=A1*2"), ("C1", '=A1&" < 3"'), ("D1", "=SUM(A1:B1)"), ("E1", "=A1<>3"), ("F1", "=1/0")]:
        b.put(s, ref, formula, kind="uncalculated", formula=True)
    b.want(s, "G1", "uncalculated", "=SUM(A1:A2*B1:B2)", formula=True)
    s["G1"] = "=SUM(A1:A2*B1:B2)"
    s.formula_attributes["G1"] = {"t": "array", "ref": "G1"}


def dates(b, title="Fechas"):
    s = b.sheet(title)
    late = title == "Fechas 1904"
    for row, (value, format, more) in enumerate([
        (dt.date(2026, 11, 22), "dd/mm/yyyy", {}),
        (dt.date(2026, 2, 28), "d-mmm-yy", {}),
        (dt.datetime(2026, 11, 22, 18, 30), "dd/mm/yyyy hh:mm", {}),
        (dt.datetime(2026, 11, 22, 23, 59, 59), '[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy', {}),
        (dt.datetime(2026, 11, 22), "yyyy-mm-dd h:mm:ss", {"shown": "2026-11-22"}),
        (dt.time(7, 5), "h:mm AM/PM", {}),
        (dt.time(23, 59, 59), "hh:mm:ss", {}),
        (dt.timedelta(hours=6), "[h]:mm", {"shown": "06:00:00"}),
        (dt.timedelta(hours=30, minutes=15), "[h]:mm:ss", {"shown": "30:15:00"}),
        (dt.date(1904, 1, 2), "yyyy-mm-dd", {}),
        (dt.date(2000, 2, 29), "mm-dd-yy", {}),
        (dt.date(9999, 12, 31), "yyyy", {}),
    ] + ([] if late else [
        (dt.date(1900, 1, 1), "dd/mm/yyyy", {}),
        (dt.date(1900, 2, 28), "dd/mm/yyyy", {}),
        (dt.date(1900, 3, 1), "dd/mm/yyyy", {}),
        (dt.date(1899, 12, 31), "dd/mm/yyyy", {}),
    ]), start=1):
        b.put(s, f"A{row}", value, format, **more)


def layout(b):
    s = b.sheet("Oculto a medias")
    for row in (2, 3, 7, 200):
        for column in (1, 3, 4, 30):
            ref = f"{get_column_letter(column)}{row}"
            more = {"row_hidden": True} if row in (3, 7) else {}
            more.update({"column_hidden": True} if column in (3, 4) else {})
            b.put(s, ref, row * 100 + column, **more)
    for row in (3, 7):
        s.row_dimensions[row].hidden = True
    s.column_dimensions.group("C", "D", hidden=True)
    s["XFD2"].number_format = "0%"  # the last column, formatted and not filled
    s = b.sheet("Oculta", "hidden")
    b.put(s, "B2", "nada")
    s = b.sheet("Muy oculta", "veryHidden")
    b.put(s, "A1", "menos")
    s = b.sheet("Tabla")
    for row, (a, c) in enumerate([("Código", "Stock"), ("A-1", 5), ("A-2", 0)], start=1):
        b.put(s, f"A{row}", a)
        b.put(s, f"B{row}", c)
    s.add_table(Table(displayName="Existencias", ref="A1:B3"))
    b.sheet("Vacía")
    b.book.create_chartsheet("Gráfico")


def stream(b):
    """Rows one by one, as programs write large exports."""
    s = b.sheet("Exportación")
    s.column_dimensions["B"].hidden = True
    for row in range(1, 41):
        cells = []
        for column, value in enumerate([1000 + row, f"Artículo {row} ", None, row / 8, row % 3 == 0], start=1):
            cell = WriteOnlyCell(s, value)
            more = {"column_hidden": True} if column == 2 else {}
            if column == 1:
                cell.number_format = "000000"
                more["shown"] = f"{value:06}"
            cells.append(cell)
            if value is not None:
                b.note(s, f"{get_column_letter(column)}{row}", value, **more)
        s.append(cells)


def odd(parts):
    """Makes another shape of the same: a sheet under another name, without references and dimension."""
    out = {}
    for name, content in parts.items():
        text = content.decode("utf-8")
        if name == "xl/worksheets/sheet1.xml":
            name = "hojas/hoja 1.xml"
            text = re.sub(r"<dimension [^>]*/>", "", text)
            text = re.sub(r'(<row|<c) r="[A-Z]*\d+"', r"\1", text)
        text = text.replace("/xl/worksheets/sheet1", "../hojas/hoja 1")
        out[name] = text.encode("utf-8")
    return out


def wide(parts):
    """Writes a sheet and the list of sheets in UTF-16."""
    for name in ("xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        text = re.sub(r"^<\?.*?\?>", "", parts[name].decode("utf-8"))
        parts[name] = ('\ufeff<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16-le")
    return parts


def main():
    b = Book("types")
    for fill in (articles, numbers, texts, formulas, dates, layout):
        fill(b)
    b.save()
    b = Book("dates1904")
    b.book.epoch = CALENDAR_MAC_1904
    dates(b, "Fechas 1904")
    b.save()
    b = Book("isodates")
    b.book.iso_dates = True
    s = b.sheet("ISO")
    b.put(s, "A1", dt.date(2026, 11, 22), "dd/mm/yyyy", text="2026-11-22")
    b.put(s, "A2", dt.datetime(2026, 11, 22, 18, 30), "dd/mm/yyyy hh:mm", text="2026-11-22T18:30:00", shown="2026-11-22T18:30:00")
    b.save()
    b = Book("stream", write_only=True)
    stream(b)
    b.save()
    for name, change in (("odd", odd), ("wide", wide)):
        b = Book(name)
        s = b.sheet("Hoja rara")
        for row in range(1, 6):
            for column, value in enumerate([row, f"texto {row} ñ", row * 1.5]):
                b.put(s, f"{'ABC'[column]}{row}", value)
        b.save()
        freeze(name + ".xlsx", change)


main()
