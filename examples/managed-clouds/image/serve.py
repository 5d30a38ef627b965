"""The service in the image: a customer in, the chance that they leave out."""

import http.server
import json

from churn import score

with open("model.json") as file:
    MODEL = json.load(file)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        customer = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"churn": score(MODEL, customer)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.HTTPServer(("", 8080), Handler).serve_forever()
