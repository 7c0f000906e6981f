package main

import (
	"io"
	"os"
	"text/template"
)

// bannerText is printed at each start. The lines after "Try it" can be pasted
// into a shell as they stand; a test does so. Nothing in it reads as a token.
var bannerText = template.Must(template.New("banner").Parse(`
  ######################################################################
  #  COUNTERFOIL, DEVELOPMENT MODE: NOT FOR PERSONAL DATA OF ANYBODY   #
  #  Keys and credentials are made here and lie beside the data.       #
  #  Whoever can read the folder can read every value.                 #
  ######################################################################

  listening on  http://{{.Addr}}   (this machine only)
  data in       {{.Data}}
  tenants       acme, globex

Try it. In another shell, paste these lines:

# a credential for a gateway of the tenant acme
GATEWAY=$('{{.Self}}' token --data '{{.Data}}' --role gateway)

# take the personal data out of a prompt
PROMPT=$(curl -sS http://{{.Addr}}/v1/tokenize -H "Authorization: Bearer $GATEWAY" -H 'Content-Type: application/json' -d '{"scope":"chat-1","text":"Write to jane.doe@example.com about card 4111 1111 1111 1111."}' | sed 's/.*"text":"\([^"]*\)".*/\1/'); echo "$PROMPT"

# get the values back, for a reason
curl -sS http://{{.Addr}}/v1/detokenize -H "Authorization: Bearer $GATEWAY" -H 'Content-Type: application/json' -d '{"scope":"chat-1","reason":{"code":"LLM_RESPONSE"},"text":"'"$PROMPT"'"}'; echo

# without a reason: refused
curl -sS http://{{.Addr}}/v1/detokenize -H "Authorization: Bearer $GATEWAY" -H 'Content-Type: application/json' -d '{"scope":"chat-1","text":"'"$PROMPT"'"}'; echo

# all three are in the log
AUDITOR=$('{{.Self}}' token --data '{{.Data}}' --role auditor --subject ann)
curl -sS "http://{{.Addr}}/v1/audit/entries?order=desc&limit=3" -H "Authorization: Bearer $AUDITOR"; echo

# and the log verifies
'{{.Self}}' verify --data '{{.Data}}'

`))

func printBanner(w io.Writer, addr, data string) error {
	self, err := os.Executable()
	if err != nil {
		self = "counterfoil"
	}
	return bannerText.Execute(w, struct{ Addr, Data, Self string }{addr, data, self})
}
