# Where the anchors of the logs, and the journals of erasures under journal/, are
# kept in a KV engine of version 2 in place of files: an addition to the serving
# identity, or an identity of its own.
#
# "delete" is missing on purpose, here and under secret/destroy and
# secret/metadata: who can take an anchor away can put back an older copy of the
# database without anybody noticing. Older versions of an anchor stay readable as
# long as the engine keeps versions (ten, unless it is told otherwise).

path "secret/data/counterfoil/anchors/*" {
  capabilities = ["create", "update", "read"]
}

path "secret/metadata/counterfoil/anchors/" {
  capabilities = ["list"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
