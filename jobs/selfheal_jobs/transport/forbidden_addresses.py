"""Addresses that no run connects to: link-local ones, and those where clouds serve credentials of a node.

The author of a spec names the addresses that a run reads, and the run's answers reach the status. At these
addresses, a node's metadata server gives whoever asks the credentials of the node.
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_LINK_LOCAL: Final = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))
_METADATA: Final = frozenset(
    map(
        ip_address,
        (
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",  # AWS, EKS Pod Identity
            "fd20:ce::254",  # Google Cloud
            "168.63.129.16",  # Azure, WireServer
            "100.100.100.200",  # Alibaba Cloud
            "192.0.0.192",  # Oracle Cloud
        ),
    )
)
"""Metadata servers outside the link-local networks, by their providers' documentation."""
_NAMES: Final = frozenset(
    {
        *("metadata.google.internal", "metadata.goog", "metadata"),
        *("instance-data", "instance-data.ec2.internal"),
        "metadata.tencentyun.com",
    }
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


class ForbiddenAddressError(PermissionError):
    """A run does not connect to this address. An OSError, so that clients of HTTP pass it on."""

    def __init__(self) -> None:
        super().__init__("link-local addresses and metadata servers are never read")


def require_address(address: str) -> None:
    """Raise ForbiddenAddressError for a forbidden IP address, which a name was resolved to.

    >>> require_address("10.0.0.7")
    >>> require_address("::ffff:169.254.169.254")
    Traceback (most recent call last):
    ...
    selfheal_jobs.transport.forbidden_addresses.ForbiddenAddressError: \
link-local addresses and metadata servers are never read
    """
    parsed = ip_address(address.partition("%")[0])  # without the interface
    if any(_is_forbidden(each) for each in (parsed, *_embedded(parsed))):
        raise ForbiddenAddressError


def require_host(host: str) -> None:
    """Raise ForbiddenAddressError for a host that is known by its name, or is written as an address.

    For where a proxy, or a library, resolves the name.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name in _NAMES:
        raise ForbiddenAddressError
    if (address := _written(name)) is not None:
        require_address(address)


def require_resolved(host: str) -> None:
    """Raise ForbiddenAddressError as `require_host` does, or if one of the name's addresses is forbidden.

    A name that cannot be resolved passes: who connects to it reports that better.
    """
    require_host(host)
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, address in found:
        require_address(str(address[0]))


def _written(host: str) -> str | None:
    """Return the address that a host is written as, also as one number or in octal digits; else None."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _is_forbidden(address: IPv4Address | IPv6Address) -> bool:
    return address in _METADATA or any(address in each for each in _LINK_LOCAL)


def _embedded(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or address in _COMPATIBLE:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(each for each in found if each is not None)
