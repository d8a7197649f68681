"""What the build says of itself."""

import time

from localcluster.gobuild import KUBERNETES_VERSION, Progress, linker_flags

OUTPUT = """\
go: downloading k8s.io/api v0.36.0
internal/cpu
k8s.io/api/core/v1
# k8s.io/api/core/v1
types.go:1:1: syntax error
"""


def test_progress_counts_what_go_prints() -> None:
    """Downloads and packages are counted, and error messages are kept for the end."""
    progress = Progress("Kubernetes", time.monotonic(), total=2721)
    for line in OUTPUT.splitlines():
        progress.read(line)

    assert str(progress) == "Kubernetes: 1 modules downloaded, 2 of at most 2721 packages, 0:00 min"
    assert progress.tail == ["# k8s.io/api/core/v1", "types.go:1:1: syntax error"]


def test_programs_are_given_their_version() -> None:
    """Both packages that tell versions are told the release's."""
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion={KUBERNETES_VERSION}" in linker_flags()
