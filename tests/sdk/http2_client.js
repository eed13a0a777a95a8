// One request over HTTP/2 with Node's own client, as the JavaScript SDK makes it: it says goodbye as
// soon as the answer's head is there, and reads on. Prints the answer as JSON, and before it, on the
// error stream, a line "asked" once the server has the request.
//
// usage: node http2_client.js URL PATH [BODY]
const http2 = require("http2");

const [url, path, body] = process.argv.slice(2);
const ca = process.env.NODE_EXTRA_CA_CERTS && require("fs").readFileSync(process.env.NODE_EXTRA_CA_CERTS);
const session = http2.connect(url, { ca: ca || undefined });
const answer = { goaways: 0, body: "" };
session.on("goaway", () => answer.goaways++);
session.on("error", (error) => { answer.error = error.code || String(error); });
const request = session.request({ ":method": body ? "POST" : "GET", ":path": path });
request.on("response", (headers) => {
  answer.headers = { ...headers };
  session.close();
});
request.setEncoding("utf8");
request.on("data", (data) => { answer.body += data; });
request.on("error", (error) => { answer.error = error.code || String(error); });
request.on("close", () => {
  answer.code = request.rstCode;
  answer.alpn = session.alpnProtocol;
  console.log(JSON.stringify(answer));
});
request.end(body, () => session.ping(() => console.error("asked")));
