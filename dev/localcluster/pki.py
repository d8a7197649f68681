"""The cluster's keys and certificates, generated for each cluster.

Two authorities: one for the API server and its clients, one for etcd, so that a client of the API server,
such as the process node, cannot bypass it and access etcd.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=365)
# Certificates of a new cluster must stay valid if the clock is set back a little.
BACKDATED = timedelta(hours=1)
# 10.0.0.1 is the first address of --service-cluster-ip-range, the address of the Service `kubernetes`.
SERVER_NAMES = (
    "127.0.0.1",
    "10.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The subject of a certificate: the user's name, its groups, and the hosts it may serve."""

    user: str
    groups: Sequence[str] = ()
    hosts: Sequence[str] = ()


def identities(node_name: str) -> dict[str, Identity]:
    """Return the identity of each certificate; the users are those of RBAC's bootstrap policy."""
    return {
        "kube-apiserver": Identity(user="kube-apiserver", hosts=SERVER_NAMES),
        "kubelet-client": Identity(user="kube-apiserver-kubelet-client", groups=["system:masters"]),
        "admin": Identity(user="admin", groups=["system:masters"]),
        "kube-controller-manager": Identity(user="system:kube-controller-manager"),
        "kube-scheduler": Identity(user="system:kube-scheduler"),
        "process-node": Identity(
            user=f"system:node:{node_name}", groups=["system:nodes"], hosts=["127.0.0.1", node_name]
        ),
    }


def write_pki(folder: Path, node_name: str) -> None:
    """Write all authorities, certificates and keys of a cluster; keys are readable by their owner only."""
    cluster = Authority("localcluster")
    cluster.write(folder / "ca.crt")
    for name, identity in identities(node_name).items():
        cluster.issue(identity, folder / name)
    data = Authority("localcluster-etcd")
    data.write(folder / "etcd-ca.crt")
    data.issue(Identity(user="etcd", hosts=("127.0.0.1", "localhost")), folder / "etcd")
    data.issue(Identity(user="kube-apiserver"), folder / "etcd-client")
    _write_service_account_keys(folder)


class Authority:
    """Signs certificates. Its own key is never stored, so that no more can be signed later."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key_id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        signs = _key_usage(digital_signature=False, key_cert_sign=True)
        builder = self._certificate(self._name, self._key.public_key(), signs)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate_itself = builder.add_extension(self._key_id, critical=False).sign(
            self._key, hashes.SHA256()
        )

    def write(self, path: Path) -> None:
        """Write the certificate with which clients verify this authority."""
        path.write_bytes(self._certificate_itself.public_bytes(serialization.Encoding.PEM))

    def issue(self, identity: Identity, path: Path) -> None:
        """Write `path`.crt and `path`.key for the identity."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._certificate(_subject(identity), key.public_key(), _key_usage(digital_signature=True))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        purposes = [
            ExtendedKeyUsageOID.CLIENT_AUTH,
            *([ExtendedKeyUsageOID.SERVER_AUTH] if identity.hosts else []),
        ]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if identity.hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in identity.hosts])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        path.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_private(path.with_suffix(".key"), _private_pem(key))

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, usage: x509.KeyUsage
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._key_id)
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self._name, public_key=key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + VALID_FOR)
            .add_extension(usage, critical=True)
            .add_extension(by, critical=False)
        )


def _subject(identity: Identity) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, digital_signature: bool, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_service_account_keys(folder: Path) -> None:
    """Write the key pair with which the API server signs and verifies ServiceAccount tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    _write_private(folder / "service-accounts.key", _private_pem(key))
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "service-accounts.pub").write_bytes(public)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
