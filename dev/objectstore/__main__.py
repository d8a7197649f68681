"""`python -m objectstore`: get the S3 server's program, if it is not there yet, and print where it is."""

import sys

from localcluster.errors import LocalClusterError
from objectstore.program import versitygw


def main() -> None:
    """Build it once on this machine."""
    try:
        print(versitygw(lambda line: print(f"objectstore: {line}", file=sys.stderr, flush=True)))
    except LocalClusterError as error:
        raise SystemExit(f"objectstore: {error}") from None


if __name__ == "__main__":
    main()
