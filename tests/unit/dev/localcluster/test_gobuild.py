"""What the build says of itself."""

import time

from localcluster.gobuild import KUBERNETES_VERSION, Progress, linker_flags

OUTPUT = """\
go: downloading k8s.io/api v0.36.3
internal/cpu
k8s.io/api/core/v1
# k8s.io/api/core/v1
types.go:1:1: syntax error
"""


def test_progress_counts_what_go_prints() -> None:
    """Downloads and packages are counted, and error messages are kept for the end."""
    progress = Progress("etcd", time.monotonic())
    for line in OUTPUT.splitlines():
        progress.read(line)

    assert (progress.downloaded, progress.compiled) == (1, 2)
    assert progress.tail == ["# k8s.io/api/core/v1", "types.go:1:1: syntax error"]
    assert str(progress) == "etcd: 1 modules downloaded, 2 packages compiled, 0:00 min"


def test_programs_are_given_their_version() -> None:
    """Both packages that tell versions are told the release's."""
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion={KUBERNETES_VERSION}" in linker_flags()
