// Receives events, appends each to a file and answers when it is on disk. Prints its address, ends with its standard input.
const fs = require("node:fs");
const out = fs.openSync(process.argv[2], "a");
const server = require("node:http").createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    fs.write(out, Buffer.concat(pieces), () => fs.fsync(out, () => response.end()));
  });
});
server.listen(0, "127.0.0.1", () => console.log("127.0.0.1:" + server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
