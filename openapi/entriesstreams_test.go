package openapi_test

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// streams are answers that are restored while they come: under a grant of the prompt,
// beyond what it names, renewed, revoked, over, and in other hands.
func (f *flow) streams() {
	s, gateway := f.v.Service, f.v.Gateway()
	wish := &vault.GrantWish{Reason: vault.ReasonGiven{Code: "LLM_RESPONSE", Note: "saw it"}, Recipient: "team-7", Renewable: true}
	prompt := func(text string) vault.TokenizeResult {
		return must(s.Tokenize(f.ctx, gateway, vault.TokenizeRequest{Scope: "stream", Text: &text, Grant: wish}))(f)
	}
	first, later := prompt("mail jane@example.com"), prompt("mail joe@example.com")
	grant := first.Grant.Grant.ID
	stream := must(s.OpenStream(f.ctx, gateway, vault.StreamRequest{GrantID: grant, Format: "text"}))(f)
	must(stream.Push(f.ctx, []byte(first.Tokens[0].Token+" "+later.Tokens[0].Token+" [EMAIL_ADDRESS_0000000000].")))(f)
	_, _, err := stream.Close(f.ctx)
	f.ok(err)
	must(s.RenewGrant(f.ctx, gateway, grant, time.Minute))(f)
	_, err = s.OpenStream(f.ctx, vaulttest.Call("gw-2", "gateway"), vault.StreamRequest{GrantID: grant})
	f.refused(err)
	must(s.CloseGrant(f.ctx, gateway, grant))(f)
	must(s.OpenGrant(f.ctx, gateway, vault.GrantRequest{Scope: "stream", GrantWish: *wish}))(f)
	_, err = s.OpenGrant(f.ctx, gateway, vault.GrantRequest{Scope: "stream", Tokens: []string{"[EMAIL_ADDRESS_0000000000]"}, GrantWish: *wish})
	f.refused(err)
	f.v.Clock.Advance(vault.GrantLife)
	must(s.CloseExpiredGrants(f.ctx, "acme"))(f)
}
