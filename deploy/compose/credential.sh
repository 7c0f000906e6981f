#!/bin/sh
# Prints a credential of the trial's issuer, valid for an hour:
#   credential.sh ROLE [SUBJECT]
set -eu
cd "$(dirname "$0")"
role=${1:?a role: gateway, restorer, approver, privacy_officer, legal, auditor, operator}
subject=${2:-gateway-1}
now=$(date +%s)

segment() { base64 | tr -d '=\n' | tr '/+' '_-'; }
header=$(printf '{"alg":"RS256","kid":"trial"}' | segment)
claims=$(printf '{"iss":"https://trial.invalid","aud":"counterfoil","sub":"%s","azp":"%s","tenant":"acme","roles":["%s"],"iat":%d,"exp":%d}' \
	"$subject" "$subject" "$role" "$now" "$((now + 3600))" | segment)
signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -sign trial/issuer.key -binary | segment)
printf '%s.%s.%s\n' "$header" "$claims" "$signature"
