# counterfoil-keys, the second identity: it makes, rotates and retires the keys
# of tenants, for `counterfoil tenant create` and `counterfoil keys`. It can
# neither wrap nor open anything, and it cannot delete or export a key.
#
# A policy cannot name a part of a segment and then go on ("counterfoil-*/config"),
# so these paths are about every key of the engine: give Counterfoil an engine of
# its own (keys.transit.mount).

# "create" makes a key that is not there; "update" on one that is there changes
# nothing of it. The kind of key is fixed, and no key may leave the server.
path "transit/keys/+" {
  capabilities = ["create", "update", "read"]
  allowed_parameters = {
    "type" = ["aes256-gcm96"]
  }
}

path "transit/keys/+/rotate" {
  capabilities = ["update"]
}

# Older versions open nothing any more. Whether a key may be deleted, exported
# or backed up in plain is not this identity's to change.
path "transit/keys/+/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}

# Destroys the versions that open nothing any more.
path "transit/keys/+/trim" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_available_version" = []
  }
}

# Its own token, for identities without the default policy.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
