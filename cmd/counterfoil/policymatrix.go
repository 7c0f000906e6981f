package main

import (
	"bytes"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/access"
)

type policyMatrixCommand struct {
	policyFlag
	Tenant     string `help:"With the overlay of this tenant."`
	Principals string `type:"path" placeholder:"FILE" help:"Only what these people and machines have: YAML or JSON, principals: [{name, roles, attributes}]."`
	Format     string `default:"markdown" enum:"markdown,csv,json" help:"markdown, csv or json."`
}

// Help says what a line is.
func (policyMatrixCommand) Help() string {
	return "A line is what a role gets of a class for a reason by one rule, and what it takes.\n" +
		"Of a list of principals those without a right are there too, and those whose roles may not be one caller's,\n" +
		"with the rule of separation.yaml that says so."
}

// Run prints the matrix.
func (c policyMatrixCommand) Run(s streams) error {
	policy, err := c.load()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if c.Principals == "" {
		err = access.WriteMatrix(&out, c.Format, policy.Matrix(c.Tenant))
	} else {
		var principals []access.Principal
		if principals, err = c.principals(); err == nil {
			err = access.WriteMatrix(&out, c.Format, policy.MatrixOf(c.Tenant, principals))
		}
	}
	if err != nil {
		return err
	}
	_, err = out.WriteTo(s.out)
	return err
}

func (c policyMatrixCommand) principals() ([]access.Principal, error) {
	text, err := readBounded(c.Principals, access.MaxPrincipalsBytes)
	if err != nil {
		return nil, fmt.Errorf("--principals: %w", err)
	}
	return access.ReadPrincipals(text)
}
