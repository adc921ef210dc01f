// Writes four columns of an export that comes in on the standard input, in UTF-8, with DuckDB.
import { createRequire } from "node:module";

const [modules, out] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(modules + "/")("@duckdb/node-api");
const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run(`COPY (SELECT "Artículo", "EAN", replace(replace("Precio c/IVA", '.', ''), ',', '.')::DECIMAL(12, 2), "Stock"
  FROM read_csv('/dev/stdin', delim = ';', header = true, all_varchar = true, quote = '"', escape = '"')) TO '${out}' (HEADER, DELIMITER ';')`);
