// Receives events, appends each to a file and answers when it is on disk: one after the other, or with a second argument as many at once
// as there are threads behind it. Prints its address, ends with its standard input.
const fs = require("node:fs");
const out = fs.openSync(process.argv[2], "a");
const server = require("node:http").createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const event = Buffer.concat(pieces);
    if (process.argv[3]) {
      fs.write(out, event, () => fs.fsync(out, () => response.end()));
      return;
    }
    fs.writeSync(out, event);
    fs.fsyncSync(out);
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => console.log("127.0.0.1:" + server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
