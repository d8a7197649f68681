"""A web server whose file `current` comes slowly until somebody opens the gate: a check waits for it."""

from typing import Any, Final

from demo.stage.workload import SCRATCH, Workload

NAME: Final = "slow-data"
PORT: Final = 8000
URL: Final = f"http://{NAME}:{PORT}"
_GATE: Final = f"{SCRATCH}/open"
OPEN: Final = ("exec", f"deployment/{NAME}", "--", "touch", _GATE)
"""What kubectl is told, to open the gate."""
_PROGRAM: Final = f"""
import http.server, os, time
class Rows(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"amount,age,late\\n")
        for number in range(400):
            self.wfile.write(b"%d,%d,%d\\n" % (number % 37, number % 11, number % 2))
            if self.path == "/current.csv" and not os.path.exists("{_GATE}"):
                time.sleep(2)
http.server.ThreadingHTTPServer(("", {PORT}), Rows).serve_forever()
"""


def slow_data(namespace: str, image: str) -> list[dict[str, Any]]:
    """Return the server's documents."""
    server = Workload(
        name=NAME,
        namespace=namespace,
        image=image,
        port=PORT,
        script=f"exec python -c '{_PROGRAM}'",
        health_path="/reference.csv",
    )
    return server.documents()
