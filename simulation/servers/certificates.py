"""Keys of the local servers: their own certificate authority, kept between starts, and the key pair for JWT sign-in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Certificates:
    """Files under `<simulation_dir>/tls`: what clients trust, what servers present, what the JWT client signs with."""

    ca_file: Path
    server_file: Path
    jwt_private_key_file: Path
    jwt_public_key_pem: bytes


def prepare_certificates(folder: Path) -> Certificates:
    """Create or reuse the authority and the JWT key; issue a server certificate for the loopback address."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_file, ca_key_file = folder / "ca.pem", folder / "ca_key.pem"
    if ca_file.exists() and ca_key_file.exists():
        authority = trustme.CA.from_pem(ca_file.read_bytes(), ca_key_file.read_bytes())
    else:
        authority = trustme.CA(organization_name="Salesops simulation")
        _write_private(ca_key_file, authority.private_key_pem.bytes())
        _write_private(ca_file, authority.cert_pem.bytes())
    server_file = folder / "server.pem"
    _write_private(server_file, authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.bytes())
    jwt_file = folder / "jwt_client_key.pem"
    return Certificates(ca_file, server_file, jwt_file, _prepare_jwt_key(jwt_file))


def _prepare_jwt_key(file: Path) -> bytes:
    if file.exists():
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_private(file, pem)
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _write_private(file: Path, content: bytes) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    fresh.replace(file)
