"""What can go wrong, by who has to act.

* LocalClusterError
  * NotAClusterError: the caller named a folder that is not ours; nothing was touched.
  * DownloadError: the official programs cannot be had from here; nobody has to act, they are built instead.
  * ToolchainError: this machine can neither find nor install what the build needs.
  * BuildError: the build ran and failed; its last lines are in the message.
  * ComponentError: a program of the cluster died or never became ready; its last lines are in the message.
"""


class LocalClusterError(Exception):
    """Anything that keeps the local cluster from doing its work."""


class NotAClusterError(LocalClusterError):
    """A state directory is missing, or holds something else."""


class DownloadError(LocalClusterError):
    """The official programs cannot be downloaded."""


class ToolchainError(LocalClusterError):
    """No usable Go toolchain."""


class BuildError(LocalClusterError):
    """`go build` failed."""


class ComponentError(LocalClusterError):
    """A component of the control plane is not running as it should."""
