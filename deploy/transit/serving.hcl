# The serving identity of Counterfoil: it wraps, unwraps and re-wraps data keys.
#
# It cannot make a key ("create" is missing on purpose): a transit key that
# somebody deleted is a failure to be seen, and never a new and empty key of the
# same name. It cannot rotate, configure, trim, export, back up, or read anything
# of a key.
#
# The keys of the tenants begin with counterfoil- (keys.transit.key_prefix), the
# engine is mounted at transit/ (keys.transit.mount).

path "transit/encrypt/counterfoil-*" {
  capabilities = ["update"]
}

path "transit/decrypt/counterfoil-*" {
  capabilities = ["update"]
}

path "transit/rewrap/counterfoil-*" {
  capabilities = ["update"]
}

# Its own token, for identities without the default policy: whether it is good,
# and how to keep it.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
