"""The cluster's certificates are what its parts need, and keys stay private."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from localcluster.pki import write_pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys and certificates of one cluster."""
    folder = tmp_path_factory.mktemp("pki")
    write_pki(folder, "node-1")
    return folder


def certificate(path: Path) -> x509.Certificate:
    """Read a certificate."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_node_is_named_as_the_node_authorizer_expects(pki: Path) -> None:
    """The node's rights come from its name and group."""
    assert (
        certificate(pki / "process-node.crt").subject.rfc4514_string()
        == "CN=system:node:node-1,O=system:nodes"
    )


def test_each_authority_vouches_for_its_own(pki: Path) -> None:
    """A client certificate of the cluster is no client certificate of etcd."""
    cluster, etcd = certificate(pki / "ca.crt"), certificate(pki / "etcd-ca.crt")

    certificate(pki / "admin.crt").verify_directly_issued_by(cluster)
    certificate(pki / "etcd-client.crt").verify_directly_issued_by(etcd)
    with pytest.raises(ValueError, match="does not match certificate issuer"):
        certificate(pki / "process-node.crt").verify_directly_issued_by(etcd)


def test_keys_are_readable_by_their_owner_only(pki: Path) -> None:
    """No private key is open to others, and the authorities' keys are not kept at all."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in pki.glob("*.key")}

    assert set(modes.values()) == {0o600}
    assert not {"ca.key", "etcd-ca.key"} & set(modes)


def test_strict_clients_accept_the_server(pki: Path) -> None:
    """The server's certificate passes the strict checks that newer Pythons make by default."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
    client = ssl.create_default_context(cafile=pki / "ca.crt")
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    shake_hands(client, server)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Make a TLS connection in memory; raises `ssl.SSLError` when one side refuses the other."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert all(side.version() for side in sides)
