#!/bin/sh
# Makes what a trial needs and nobody should share, in the folder trial beside
# this script: passwords, connection strings, the key of the issuer. A trial that is
# there already stays as it is.
set -eu
cd "$(dirname "$0")"
[ ! -e trial ] || { echo "prepare: the folder trial is there already" >&2; exit 1; }
umask 077
rm -rf trial.new
mkdir trial.new

openssl genrsa -out trial.new/issuer.key 3072 2>/dev/null
openssl rsa -in trial.new/issuer.key -pubout -out trial.new/issuer.pem 2>/dev/null
openssl rand -hex 24 | tr -d '\n' >trial.new/postgres
for role in app destroy audit owner; do
	password=$(openssl rand -hex 24)
	printf "ALTER ROLE counterfoil_%s PASSWORD '%s';\n" "$role" "$password" >>trial.new/passwords.sql
	printf 'postgres://counterfoil_%s:%s@postgres:5432/counterfoil?sslmode=disable\n' "$role" "$password" >"trial.new/$role.dsn"
done
# Containers run as somebody else, and see only what is mounted. On this machine
# the folder keeps others out.
chmod 0444 trial.new/*.dsn trial.new/*.sql trial.new/postgres trial.new/issuer.pem
mv trial.new trial
