package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
)

type tokenCommand struct {
	Data    string            `required:"" type:"path" help:"Data folder of the development mode."`
	Role    []string          `required:"" help:"Role of the caller: gateway, restorer, approver, privacy_officer, legal, auditor, operator."`
	Tenant  string            `default:"acme" help:"Tenant of the caller."`
	Subject string            `default:"svc-1" help:"Who calls. Also the client_id, unless --claim client_id=... says otherwise."`
	TTL     time.Duration     `name:"ttl" default:"1h" help:"How long the credential is valid."`
	Claim   map[string]string `help:"A further claim, as in --claim team=fraud, --claim amr=mfa or --claim act=svc-2." mapsep:"none" placeholder:"K=V"`
}

// Run prints a JWT of the development issuer on standard output.
func (c tokenCommand) Run(s streams) error {
	issuer, err := authn.OpenDevIssuer(config.Layout{Dir: c.Data}.Issuer())
	if err != nil {
		return fmt.Errorf("%w (start `counterfoil dev --data %s` once to make it)", err, c.Data)
	}
	extra := make(map[string]any, len(c.Claim))
	client := ""
	for name, value := range c.Claim {
		if name == "client_id" {
			client = value
			continue
		}
		extra[name] = value
	}
	signed, err := issuer.Sign(authn.Claims{
		Subject: c.Subject, Client: client, Tenant: c.Tenant, Roles: c.Role, TTL: c.TTL, Extra: extra,
	})
	if err != nil {
		return errors.Join(errors.New("no such credential"), err)
	}
	_, err = fmt.Fprintln(s.out, signed)
	return err
}
