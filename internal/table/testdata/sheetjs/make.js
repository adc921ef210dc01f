// Writes workbooks with SheetJS, and for each <name>.xlsx a <name>.cells with what was put into it, in the form that
// ../openpyxl/make.py describes. All articles are invented.
'use strict';
const fs = require('fs');
const XLSX = require('xlsx');

// A book collects sheets and what is in them.
class Book {
  constructor() {
    this.book = XLSX.utils.book_new();
    this.book.Workbook = { Sheets: [], WBProps: {} };
    this.book.Props = { CreatedDate: new Date(Date.UTC(2026, 10, 22)), Author: 'gondola' };
    this.cells = [];
  }

  // sheet adds a sheet; hidden is 0, 1 for hidden or 2 for very hidden.
  sheet(name, hidden = 0) {
    const sheet = { '!ref': 'A1' };
    XLSX.utils.book_append_sheet(this.book, sheet, name);
    this.book.Workbook.Sheets.push({ name, Hidden: hidden });
    this.cells.push({ sheet: name, hidden: hidden > 0 });
    return sheet;
  }

  // put puts a cell of SheetJS's own form into the last sheet; want is what must come out where it is not plain.
  put(ref, cell, want = {}) {
    const name = this.book.SheetNames[this.book.SheetNames.length - 1];
    const sheet = this.book.Sheets[name];
    sheet[ref] = cell;
    const range = XLSX.utils.decode_range(sheet['!ref']);
    const at = XLSX.utils.decode_cell(ref);
    range.e.r = Math.max(range.e.r, at.r);
    range.e.c = Math.max(range.e.c, at.c);
    sheet['!ref'] = XLSX.utils.encode_range(range);
    if (want === null) return; // formatted and not filled
    const kinds = { n: 'number', s: 'text', b: 'bool', e: 'error', d: 'date' };
    const all = { sheet: name, cell: ref, kind: kinds[cell.t] };
    if (cell.t === 'b') {
      all.value = cell.v ? '1' : '0';
      all.shown = cell.v ? 'TRUE' : 'FALSE';
    } else if (cell.t === 'e') {
      all.value = cell.w;
    } else if (cell.t !== 'd') {
      all.value = String(cell.v);
    }
    if (cell.f) all.formula = true;
    this.cells.push(Object.assign(all, want));
  }

  save(name, options) {
    XLSX.writeFile(this.book, name + '.xlsx', Object.assign({ bookType: 'xlsx', compression: true }, options));
    fs.writeFileSync(name + '.cells', this.cells.map((c) => JSON.stringify(c) + '\n').join(''));
  }
}

function articles(b) {
  const s = b.sheet('Lista & más');
  b.put('A1', { t: 's', v: 'Lista de precios' });
  s['!merges'] = [XLSX.utils.decode_range('A1:E1')];
  ['Código', 'Barras', 'Nombre', 'Precio', 'Vigencia'].forEach((v, i) => b.put('ABCDE'[i] + '3', { t: 's', v }));
  [
    [1001, 7790001000019, 'Galletitas de limón', 1250.5, 46348],
    [1002, 7790001000026, 'Yerba «La Inventada» <1 kg> & más', 10.29, 46349],
    [1003, 7790001000033, 'Ñandú de peluche\nazul', 0.1, 46350],
  ].forEach((row, i) => {
    const line = i + 4;
    b.put('A' + line, { t: 'n', v: row[0] });
    b.put('B' + line, { t: 'n', v: row[1], z: '0' });
    b.put('C' + line, { t: 's', v: row[2] });
    b.put('D' + line, { t: 'n', v: row[3], z: '"$"#,##0.00;[Red]-"$"#,##0.00' });
    b.put('E' + line, { t: 'n', v: row[4], z: 'dd/mm/yyyy' }, { kind: 'date', shown: '2026-11-' + (22 + i) });
  });
  s['!autofilter'] = { ref: 'A3:E6' };
  s['!cols'] = [{ wch: 10 }, { wch: 14 }];
}

function types(b) {
  b.sheet('Tipos');
  [
    [{ t: 'n', v: 1001 }],
    [{ t: 'n', v: 7790001000019 }],
    [{ t: 'n', v: 7790001000019, z: '0.00E+00' }],
    [{ t: 'n', v: 42, z: '0000000000000' }, { shown: '0000000000042' }],
    [{ t: 'n', v: 0.155, z: '0.00%' }, { shown: '15.5%' }],
    [{ t: 'n', v: 1.5, z: '# ?/?' }],
    [{ t: 'n', v: -12.34, z: '#,##0.00;[Red]-#,##0.00' }],
    [{ t: 'n', v: 1e21 }, { value: '1000000000000000000000', inexact: true }],
    [{ t: 'n', v: 1e-7 }, { value: '0.0000001' }],
    [{ t: 'n', v: 0.1 + 0.2 }, { value: '0.3' }],
    [{ t: 'n', v: 1001, z: '@' }],
    [{ t: 's', v: '1001', z: '@' }],
    [{ t: 's', v: '007' }],
    [{ t: 's', v: '1.234,50' }],
    [{ t: 's', v: ' con espacios ' }],
    [{ t: 's', v: '  ' }],
    [{ t: 's', v: 'una\r\notra' }, { value: 'una\r\notra' }],
    // What the library does not mask means a carriage return to whoever reads the file, Excel included.
    [{ t: 's', v: 'a_x000D_b' }, { value: 'a\rb' }],
    [{ t: 's', v: '=1+1' }],
    [{ t: 's', v: '🍋 <&>"\'' }],
    [{ t: 'b', v: true }],
    [{ t: 'b', v: false }],
    [{ t: 'e', v: 0x2a, w: '#N/A' }],
    [{ t: 'e', v: 0x07, w: '#DIV/0!' }],
    [{ t: 'e', v: 0x0f, w: '#VALUE!' }],
    [{ t: 's', v: '' }, null],
    [{ t: 'z', z: '0.00' }, null],
  ].forEach(([cell, want], i) => b.put('A' + (i + 1), cell, want));
}

function formulas(b) {
  b.sheet('Fórmulas');
  b.put('A1', { t: 'n', v: 2 });
  b.put('B1', { t: 'n', v: 4, f: 'A1*2' });
  b.put('C1', { t: 's', v: '2 u.', f: 'A1&" u."' });
  b.put('D1', { t: 'b', v: true, f: 'A1>1' });
  b.put('E1', { t: 'e', v: 0x07, w: '#DIV/0!', f: 'A1/0' });
  b.put('F1', { t: 'n', f: 'A1*3' }, { kind: 'uncalculated', value: '=A1*3' });
  b.put('G1', { t: 'n', f: 'A1<3' }, { kind: 'uncalculated', value: '=A1<3' });
  b.put('H1', { t: 'n', v: 6, f: 'SUM(A1:B1)', F: 'H1:H1' });
}

function dates(b) {
  b.sheet('Fechas');
  const utc = (...x) => new Date(Date.UTC(...x));
  [
    [{ t: 'd', v: utc(2026, 10, 22), z: 'dd/mm/yyyy' }, { shown: '2026-11-22' }],
    [{ t: 'd', v: utc(2026, 10, 22, 18, 30), z: 'dd/mm/yyyy hh:mm' }, { shown: '2026-11-22 18:30:00' }],
    [{ t: 'd', v: utc(2000, 1, 29), z: 'd-mmm-yy' }, { shown: '2000-02-29' }],
    [{ t: 'd', v: utc(1904, 0, 2), z: 'yyyy-mm-dd' }, { shown: '1904-01-02' }],
  ].forEach(([cell, want], i) => b.put('A' + (i + 1), cell, want));
}

function layout(b) {
  const s = b.sheet('Oculto');
  const rows = [], cols = [];
  rows[1] = { hidden: true };
  cols[2] = { hidden: true };
  for (const row of [1, 2, 50]) {
    for (const col of ['A', 'C', 'AB']) {
      b.put(col + row, { t: 's', v: col + row }, { ...(row === 2 && { row_hidden: true }), ...(col === 'C' && { column_hidden: true }) });
    }
  }
  s['!rows'] = rows;
  s['!cols'] = cols;
  b.sheet('Escondida', 1);
  b.put('A1', { t: 's', v: 'nada' });
  b.sheet('Muy escondida', 2);
  b.put('B2', { t: 'n', v: 1 });
  b.sheet('Vacía');
}

// Strings in line, which SheetJS writes as those of formulas, and shared ones.
for (const [name, bookSST] of [['types', false], ['shared', true]]) {
  const b = new Book();
  for (const fill of [articles, types, formulas, dates, layout]) fill(b);
  b.save(name, { bookSST });
}

// Days from 1904, as serials.
let b = new Book();
b.book.Workbook.WBProps.date1904 = true;
b.sheet('Fechas 1904');
[[44886, 'dd/mm/yyyy', '2026-11-22'], [44886.75, 'd/m/yy h:mm', '2026-11-22 18:00:00'], [0.25, 'h:mm', '06:00:00'], [1, 'yyyy-mm-dd', '1904-01-02']]
  .forEach(([v, z, shown], i) => b.put('A' + (i + 1), { t: 'n', v, z }, { kind: 'date', shown }));
b.save('dates1904', {});

// Dates as ISO 8601.
b = new Book();
b.sheet('ISO');
b.put('A1', { t: 'd', v: new Date(Date.UTC(2026, 10, 22, 18, 30)), z: 'dd/mm/yyyy hh:mm' }, { value: '2026-11-22T18:30:00.000Z' });
b.save('isodates', { cellDates: true });
