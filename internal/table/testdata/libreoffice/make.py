"""Writes sources of workbooks for LibreOffice, and for each <name>.fods a <name>.cells with what is in it.

The form of a .cells file is described in ../openpyxl/make.py. All articles are invented.
"""

import json
from xml.sax.saxutils import escape, quoteattr

NUMBER = '<number:number number:decimal-places="%d" number:min-integer-digits="%d"%s/>'
TIME = '<number:hours%s/><number:text>:</number:text><number:minutes number:style="long"/>'
DATE = ('<number:day number:style="long"/><number:text>/</number:text><number:month number:style="long"/><number:text>/</number:text>'
        '<number:year number:style="long"/>')


def style(kind, content, attributes=""):
    return f'<number:{kind}-style style:name="N_%s"{attributes}>{content}</number:{kind}-style>'


MONEY = "<number:text>$ </number:text>" + NUMBER % (2, 1, ' number:grouping="true"')
STYLES = {
    "padded": style("number", NUMBER % (0, 13, "")),
    "percent": style("percentage", NUMBER % (1, 1, "") + "<number:text>%%</number:text>"),
    "fraction": style("number", '<number:fraction number:min-integer-digits="0" number:min-numerator-digits="1" '
                      'number:min-denominator-digits="2"/>'),
    "scientific": style("number", '<number:scientific-number number:decimal-places="2" number:min-integer-digits="1" '
                        'number:min-exponent-digits="2"/>'),
    "masked": style("number", '<number:number number:decimal-places="0" number:min-integer-digits="7">'
                    '<number:embedded-text number:position="4">-</number:embedded-text></number:number>'),
    "plus": style("number", MONEY, ' style:volatile="true"'),
    "red": style("number", '<style:text-properties fo:color="#ff0000"/><number:text>-</number:text>' + MONEY +
                 '<style:map style:condition="value()&gt;=0" style:apply-style-name="N_plus"/>'),
    "units": style("number", NUMBER % (0, 1, "") + "<number:text> unidades</number:text>"),
    "date": style("date", DATE),
    "moment": style("date", DATE + "<number:text> </number:text>" + TIME % ' number:style="long"'),
    "clock": style("time", TIME % "" + '<number:text>:</number:text><number:seconds number:style="long"/>'),
    "duration": style("time", TIME % "", ' number:truncate-on-overflow="false"'),
    "text": style("text", "<number:text-content/>"),
    "bool": style("boolean", "<number:boolean/>"),
}
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
"""


class Book:
    """A workbook and what is in it. Sheets are dictionaries of cells by row and column, both from 1."""

    def __init__(self, name, settings=""):
        self.name, self.settings, self.sheets, self.cells, self.after = name, settings, [], [], ""

    def sheet(self, title, hidden=False, hidden_rows=(), hidden_columns=(), filtered_rows=()):
        self.sheets.append((title, hidden, {}, set(hidden_rows), set(hidden_columns), set(filtered_rows)))
        self.cells.append({"sheet": title, "hidden": hidden})

    def put(self, ref, kind, value, attributes="", content="", style="", **more):
        """Puts a cell that is written with these attributes and content. kind None is a cell that is formatted and not filled."""
        title, _, cells, rows, columns, filtered = self.sheets[-1]
        column, row = ord(ref[0]) - 64, int(ref[1:])
        if style:
            attributes += f' table:style-name="{style}"'
        cells[row, column] = f"<table:table-cell{attributes}>{content}</table:table-cell>"
        if kind is None:
            return
        if row in rows or row in filtered:
            more["row_hidden"] = True
        if column in columns:
            more["column_hidden"] = True
        self.cells.append({"sheet": title, "cell": ref, "kind": kind, **({} if value is None else {"value": value}), **more})

    def text(self, ref, text, content=None, **more):
        body = escape(text) if content is None else content
        self.put(ref, "text", text, more.pop("attributes", "") + ' office:value-type="string"', f"<text:p>{body}</text:p>", **more)

    def number(self, ref, raw, value=None, type="float", **more):
        self.put(ref, "number", value or raw, f' office:value-type="{type}" office:value="{raw}"', **more)

    def date(self, ref, iso, style="date", **more):
        more.setdefault("shown", iso.replace("T", " "))
        self.put(ref, "date", None, f' office:value-type="date" office:date-value="{iso}"', style=style, **more)

    def time(self, ref, iso, shown, style="clock"):
        self.put(ref, "date", None, f' office:value-type="time" office:time-value="{iso}"', style=style, shown=shown)

    def formula(self, ref, kind, value, formula, **more):
        # LibreOffice calculates when it loads; the text here is only what it would otherwise begin with.
        attribute = f" table:formula={quoteattr('of:=' + formula)}"
        self.put(ref, kind, value, attribute + ' office:value-type="string" office:string-value=""', formula=True, **more)

    def save(self):
        with open(self.name + ".fods", "w", encoding="utf-8") as f:
            f.write(HEAD)
            for name, body in STYLES.items():
                f.write(body % name + "\n")
                if name != "plus":
                    f.write(f'<style:style style:name="{name}" style:family="table-cell" style:data-style-name="N_{name}"/>\n')
            f.write('<style:style style:name="bold" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style>\n')
            f.write('<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>\n')
            f.write(f"</office:automatic-styles>\n<office:body><office:spreadsheet>{self.settings}\n")
            for sheet in self.sheets:
                f.write(self.table(*sheet))
            f.write(self.after + "</office:spreadsheet></office:body></office:document>\n")
        with open(self.name + ".cells", "w", encoding="utf-8") as f:
            for cell in self.cells:
                f.write(json.dumps(cell, ensure_ascii=False) + "\n")

    @staticmethod
    def table(title, hidden, cells, hidden_rows, hidden_columns, filtered):
        out = [f"<table:table table:name={quoteattr(title)}{' table:style-name=%soff%s' % (chr(34), chr(34)) if hidden else ''}>"]
        for column in range(1, 27):
            out.append(f"<table:table-column{' table:visibility=%scollapse%s' % (chr(34), chr(34)) if column in hidden_columns else ''}/>")
        for row in range(1, max((r for r, _ in cells), default=0) + 1):
            visibility = "collapse" if row in hidden_rows else "filter" if row in filtered else "visible"
            out.append(f'<table:table-row table:visibility="{visibility}">')
            for column in range(1, max((c for r, c in cells if r == row), default=1) + 1):
                out.append(cells.get((row, column), "<table:table-cell/>"))
            out.append("</table:table-row>")
        return "\n".join(out) + "\n</table:table>\n"


def formats():
    b = Book("formats")
    b.sheet("Números")
    for row, (raw, want, style, shown) in enumerate([
        ("1001", None, "", None), ("1001", None, "text", None), ("7790001000019", None, "", None),
        ("7790001000019", None, "scientific", None), ("42", None, "padded", "0000000000042"), ("7790001000019", None, "padded", None),
        ("0.155", None, "percent", "15.5%"), ("-0.05", None, "percent", "-5%"), ("1.5", None, "fraction", None),
        ("2345678", None, "masked", None), ("1234.5", None, "red", None), ("-1234.56", None, "red", None), ("3", None, "units", None),
        ("1E-7", "0.0000001", "", None), ("0.30000000000000004", "0.3", "", None), ("123456789012345", None, "", None),
        ("-0", "0", "", None), ("10.29", None, "", None), ("99999999.99", None, "", None),
    ], start=1):
        b.number(f"B{row}", raw, want, style=style, **({"shown": shown} if shown else {}))
    b.number("D1", "1.5E300", "15" + "0" * 299, inexact=True)
    # The program keeps fifteen digits of a number, and writes zeros for the others.
    b.number("D2", "123456789012345678", "123456789012346000", inexact=True)
    for row in range(30, 33):
        b.put(f"B{row}", None, None, style="red")  # formatted and not filled
    b.sheet("Textos")
    for row, (text, content) in enumerate([
        (" delante", "<text:s/>delante"), ("detrás ", "detrás<text:s/>"), ("a   b", "a<text:s text:c=\"3\"/>b"),
        ("007", None), ("1.234,50", None), ("TRUE", None), ("=1+1", None), ("'apóstrofo", None), ("🍋 <&>\"", None), ("ññ" * 300, None),
        ("una línea\ny otra", "una línea</text:p><text:p>y otra"), ("Galletitas de limón", 'Galletitas <text:span text:style-name="bold">de</text:span> limón'),
        ("a_x000D_b", None), ("  ", '<text:s text:c="2"/>'),
    ], start=1):
        b.text(f"A{row}", text, content, style="text" if row % 2 else "")
    b.sheet("Fórmulas")
    b.number("A1", "2")
    b.formula("B1", "number", "4", "[.A1]*2")
    b.formula("C1", "text", "2 u.", '[.A1]&" u."')
    b.formula("D1", "number", "1", "[.A1]>1", style="bool")  # the program writes a number, with a format of words only
    for column, formula, code in [("E", "1/0", "#DIV/0!"), ("F", "NA()", "#N/A"), ("G", "SQRT(-1)", "#VALUE!"), ("H", '1+"a"', "#VALUE!")]:
        b.formula(f"{column}1", "error", code, formula)
    b.formula("I1", "number", "0.3", "0.1+0.2")
    b.formula("J1", "text", "=", '"="')
    b.formula("K1", None, None, '""')  # has come to an empty text, which is a blank cell
    for row in range(2, 8):
        b.number(f"A{row}", str(row * 10))
        b.formula(f"B{row}", "number", str(row * 20), f"[.A{row}]*2")
    b.put("D3", "bool", "0", ' office:value-type="boolean" office:boolean-value="false"', style="bool", shown="FALSE")
    b.sheet("Fechas")
    dates(b)
    # Before March 1900 the program counts days as they were, and Excel with a 29 February that was not: a day is one less there.
    b.date("C1", "1900-01-15", shown="1900-01-16")
    b.date("C2", "1900-03-01")
    b.save()


def dates(b):
    for row, iso in enumerate(["2026-11-22", "2000-02-29", "1904-01-02", "9999-12-31"], start=1):
        b.date(f"A{row}", iso)
    b.date("A5", "2026-11-22T18:30:00", "moment")
    b.time("A6", "PT07H05M00S", "07:05:00")
    b.time("A7", "PT23H59M59S", "23:59:59")
    b.time("A8", "PT06H00M00S", "06:00:00", "duration")
    b.time("A9", "PT30H15M00S", "30:15:00", "duration")


def layout():
    b = Book("layout")
    b.sheet("Precios & más", hidden_rows=[5], hidden_columns=[3], filtered_rows=[6])
    b.text("A1", "Listado de precios", attributes=' table:number-columns-spanned="4"')
    for i, head in enumerate(["Código", "Nombre", "Costo", "Precio"]):
        b.text("ABCD"[i] + "3", head)
    for row in range(4, 9):
        b.number(f"A{row}", str(1000 + row))
        b.text(f"B{row}", f"Artículo {row}")
        b.number(f"C{row}", f"{row}.25")
        b.number(f"D{row}", f"{row}.5", style="red")
    b.text("Z40", "lejos")
    b.after = ('<table:database-ranges><table:database-range table:name="precios" table:target-range-address='
               '"&apos;Precios &amp; más&apos;.A3:&apos;Precios &amp; más&apos;.D8" table:display-filter-buttons="true"/></table:database-ranges>')
    b.sheet("Vacía")
    b.sheet("Oculta", hidden=True)
    b.text("B2", "nada")
    b.sheet("Última")
    b.text("A1", "Artículo 4")  # a text that another sheet has too
    b.save()


formats()
layout()
late = Book("dates1904", '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>')
late.sheet("Fechas 1904")
dates(late)
late.save()
