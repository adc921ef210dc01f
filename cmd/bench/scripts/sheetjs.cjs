// Writes a workbook as CSV with SheetJS.
const { createRequire } = require("node:module");
const [modules, book, out] = process.argv.slice(2);
const xlsx = createRequire(modules + "/")("xlsx");
const { SheetNames, Sheets } = xlsx.readFile(book, { dense: true });
require("node:fs").writeFileSync(out, xlsx.utils.sheet_to_csv(Sheets[SheetNames[0]], { FS: ";", rawNumbers: true }));
