#!/usr/bin/env python3
"""Computes vectors.json from the formats in doc.go, without any Go code.

Needs the Python package "cryptography". Run it in this folder:
    python3 vectors.py > vectors.json
"""
import base64, hashlib, hmac, json, struct
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def hkdf(key, info, size=32):
    prk = hmac.new(b"\0" * 32, key, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()[:size]


def field(b):
    return struct.pack(">Q", len(b)) + b


roots = {3: bytes(range(32)), 4: bytes(range(100, 132))}
file = {
    "format": "counterfoil-local-key/1",
    "versions": [
        {"version": v, "created": "2026-01-02T03:04:05Z", "key": base64.b64encode(k).decode()}
        for v, k in roots.items()
    ],
    "min_version": 3,
}
out = {"file": json.dumps(file, indent=2) + "\n", "wrapped": []}
for n, (version, tenant, plain) in enumerate([
    (3, "acme", b"a framed key"), (4, "acme", b"a framed key"), (4, "globex", b""), (3, "caf\u00e9", bytes(64)),
]):
    key = hkdf(roots[version], b"counterfoil/local-key/1/wrap\0" + tenant.encode())
    ad = b"counterfoil/local-wrap\x01" + struct.pack(">Q", version) + field(tenant.encode())
    nonce = bytes([n] * 12)
    out["wrapped"].append({
        "version": version, "tenant": tenant, "plain": plain.hex(),
        "bytes": (b"\x01" + nonce + AESGCM(key).encrypt(nonce, plain, ad)).hex(),
    })
print(json.dumps(out, indent=1))
