#!/usr/bin/env python3
"""Computes vectors.json from the formats in doc.go, without any Go code.

Needs the Python package "cryptography". Run it in this folder:
    python3 vectors.py > vectors.json
"""
import hashlib, hmac, json, struct
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def hkdf(key, info, size=32):
    prk = hmac.new(b"\0" * 32, key, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()[:size]


def field(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack(">Q", len(b)) + b


def seal(key, nonce, binding, plain):
    names = ["Purpose", "Tenant", "Scope", "Token", "Format", "Entity", "Class"]
    ad = b"counterfoil/seal\x01" + b"".join(field(binding.get(n, "")) for n in names)
    return b"\x01" + nonce + AESGCM(key).encrypt(nonce, plain, ad)


key = bytes(range(32))
full = {"Purpose": "value", "Tenant": "acme", "Scope": "5c0pe", "Token": "7K3QX9M2", "Format": "label",
        "Entity": "EMAIL_ADDRESS", "Class": "confidential"}
seals = []
for n, (binding, plain) in enumerate([
    (full, b"a value"), (full, b""), ({"Purpose": "note", "Tenant": "acme"}, "caf\u00e9 \U0001f600".encode()),
]):
    sealed = seal(key, bytes([n + 1] * 12), binding, plain)
    seals.append({"key": key.hex(), "binding": binding, "plain": plain.hex(), "sealed": sealed.hex()})

frames = [
    {"purpose": p, "tenant": t, "id": i, "key": key.hex(),
     "framed": (b"counterfoil/key\x01" + field(p) + field(t) + field(i) + field(key)).hex()}
    for p, t, i in [("data-key", "acme", "00112233445566778899aabbccddeeff"), ("index-key", "caf\u00e9", "1"),
                    ("log-signing-key", "_system", "log")]
]

digests = []
for label, fields in [
    ("identity", ["5c0pe", "EMAIL_ADDRESS", "label", "a value"]), ("identity", ["", "", "", ""]),
    ("lookup", ["EMAIL_ADDRESS", "a value"]), ("scope", ["chat-1"]), ("subject", ["person-1"]),
    ("end-user", ["person-1"]), ("client", ["person-1"]), ("note", ["caf\u00e9"]),
    ("subject", ["x" * 1000]),
]:
    sub = hkdf(key, b"counterfoil/index/1/" + label.encode())
    mac = hmac.new(sub, b"".join(field(f) for f in fields), hashlib.sha256).hexdigest()
    digests.append({"key": key.hex(), "label": label, "fields": fields, "digest": mac})

print(json.dumps({"seals": seals, "frames": frames, "digests": digests}, indent=1))
