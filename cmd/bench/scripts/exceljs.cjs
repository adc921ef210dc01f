// Prints a workbook as CSV with exceljs, row by row.
const { createRequire } = require("node:module");
const [modules, book] = process.argv.slice(2);
const { stream } = createRequire(modules + "/")("exceljs");
(async () => {
  const reader = new stream.xlsx.WorkbookReader(book, { sharedStrings: "cache", worksheets: "emit", styles: "ignore" });
  let text = "";
  for await (const sheet of reader) {
    for await (const row of sheet) {
      text += row.values.slice(1).join(";") + "\n";
      if (text.length > 1 << 18) {
        process.stdout.write(text);
        text = "";
      }
    }
  }
  process.stdout.write(text);
})();
