#!/bin/sh
# Sets up the key service of the trial: the engine, the two identities of
# deploy/transit, and what each shows to log in, in a volume of its own.
set -eu

vault secrets enable transit
vault auth enable approle
vault policy write counterfoil-serving /setup/policies/serving.hcl
vault policy write counterfoil-keys /setup/policies/keys.hcl

# login NAME FOLDER: an AppRole of that policy, and its ids as files.
login() {
	vault write "auth/approle/role/$1" token_policies="$1" token_period=1h
	vault read -field=role_id "auth/approle/role/$1/role-id" >"$2/role-id"
	vault write -field=secret_id -force "auth/approle/role/$1/secret-id" >"$2/secret-id"
	cp /certs/vault-ca.pem "$2/ca.pem"
	# Only the containers that mount the volume see it.
	chmod 0444 "$2/role-id" "$2/secret-id" "$2/ca.pem"
}
login counterfoil-serving /run/serving
login counterfoil-keys /run/administration
