package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

type policyExplainCommand struct {
	policyFlag
	Action       string            `default:"restore" help:"What the caller wants to do."`
	Role         []string          `help:"Role of the caller; may be given several times."`
	Tenant       string            `help:"Tenant of the caller, whose overlay counts."`
	Reason       string            `help:"Reason code, for restore."`
	Entity       string            `help:"Entity of the value, for restore."`
	Class        string            `help:"Class of the value. Default: that of the entity."`
	OtherClient  bool              `help:"The scope is bound to another client than the caller's."`
	EndUser      string            `default:"unbound" help:"How the end user stands to the one of the scope: unbound, same, absent or other."`
	MFA          bool              `name:"mfa" help:"The credential says that a second factor was used."`
	ACR          string            `name:"acr" help:"Authentication context of the credential."`
	SecondPerson bool              `help:"For hold_release: the caller is not who placed the hold."`
	Attribute    map[string]string `help:"Attribute of the caller, as in team=fraud." mapsep:"none" placeholder:"K=V"`
	Place        string            `default:"prose" help:"Where in the text the token stands: prose, code, url or tool."`
	Tool         string            `help:"Of which tool, with --place tool."`
	Held         bool              `help:"The value is kept by a legal hold only."`
	Restricted   bool              `help:"The value is under restriction of processing."`
	Environment  string            `help:"Environment of the installation."`
	At           time.Time         `placeholder:"TIME" help:"When, as in 2026-07-01T12:00:00Z. Default: now."`
	Address      netip.Addr        `help:"Where the connection comes from."`
	Approved     int               `help:"How many people have approved it."`
	Consented    bool              `help:"Everyone whom the value is about consents to the purpose of the reason."`
	JSON         bool              `help:"Print the explanation as JSON."`
}

// Help says what the answer is worth.
func (policyExplainCommand) Help() string {
	return "The decision is the one that a service with this policy would make of the same request. Exit code 0 says that\n" +
		"it was explained, not that it is allowed."
}

// Run explains.
func (c policyExplainCommand) Run(s streams) error {
	policy, err := c.load()
	if err != nil {
		return err
	}
	r, err := c.request(policy)
	if err != nil {
		return &exitCoded{exitUsage, err}
	}
	e := policy.Explain(r)
	if !c.JSON {
		return describeExplanation(s.out, e)
	}
	out := json.NewEncoder(s.out)
	out.SetIndent("", "  ")
	return out.Encode(explanationOf(policy.Version(), e))
}

// request is what the flags say. What the policy does not know is a slip here,
// where nobody else is told.
func (c policyExplainCommand) request(policy *access.Policy) (access.Request, error) {
	r := access.Request{
		Action: access.Action(c.Action), Roles: c.Role, Tenant: c.Tenant, Reason: c.Reason, Entity: c.Entity,
		Class: access.Class(c.Class), SameClient: !c.OtherClient, EndUser: access.EndUserMatch(c.EndUser),
		MFA: c.MFA, ACR: c.ACR, SecondPerson: c.SecondPerson, Attributes: c.Attribute, Place: access.Place(c.Place),
		Tool: c.Tool, Held: c.Held, Restricted: c.Restricted, Environment: c.Environment, At: c.At,
		Address: c.Address, Approved: c.Approved, Consented: c.Consented,
	}
	if r.At.IsZero() {
		r.At = time.Now()
	}
	if entity, ok := policy.Entity(c.Entity); ok {
		r.Class = cmp.Or(r.Class, entity.Class)
	} else if c.Entity != "" {
		return r, fmt.Errorf("--entity: the policy has no %q", c.Entity)
	}
	if _, ok := policy.Reason(c.Reason); !ok && c.Reason != "" {
		return r, fmt.Errorf("--reason: the policy has no %q", c.Reason)
	}
	if r.Action == access.ActionRestore && (c.Reason == "" || c.Entity == "") {
		return r, fmt.Errorf("--reason and --entity are required for %s", c.Action)
	}
	for _, role := range c.Role {
		if !slices.Contains(access.Roles(), role) {
			return r, fmt.Errorf("--role: %q is none of %s", role, strings.Join(access.Roles(), ", "))
		}
	}
	if !slices.Contains(access.Actions(), r.Action) {
		return r, fmt.Errorf("--action: unknown %q", c.Action)
	}
	if !slices.Contains(access.Classes(), r.Class) && r.Class != "" {
		return r, fmt.Errorf("--class: unknown %q", c.Class)
	}
	if !slices.Contains(access.EndUserMatches(), r.EndUser) {
		return r, fmt.Errorf("--end-user: unknown %q", c.EndUser)
	}
	if !slices.Contains(access.Places(), r.Place) {
		return r, fmt.Errorf("--place: unknown %q", c.Place)
	}
	return r, nil
}

func describeExplanation(w io.Writer, e access.Explanation) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "%s\n\nDEMAND\tWANTS\tMET\n", e.Sentence)
	for _, d := range e.Demands {
		met := "no"
		if d.Met {
			met = "yes"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", d.Name, d.Wants, met)
	}
	_, _ = fmt.Fprintln(table, "\nRULE\tEFFECT\tROLE\tFORM\tLACKS")
	for _, r := range e.Rules {
		effect, lacks := "allow", cmp.Or(strings.Join(r.Lacks, ", "), "nothing")
		if r.Deny {
			effect = "deny"
		}
		if r.Decided {
			lacks += " (decided)"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, effect, r.Role, cmp.Or(string(r.Form), "-"), lacks)
	}
	d := e.Decision
	if len(d.Obligations) > 0 {
		_, _ = fmt.Fprintf(table, "\nobligations  %s\n", strings.Join(d.Obligations, ", "))
	}
	for _, b := range d.Budgets {
		_, _ = fmt.Fprintf(table, "budget       %s\n", b)
	}
	return table.Flush()
}

// explanationDoc is an explanation as JSON.
type explanationDoc struct {
	Version  string                   `json:"policy_version"`
	Sentence string                   `json:"sentence"`
	Decision decisionDoc              `json:"decision"`
	Demands  []access.Demand          `json:"demands"`
	Rules    []access.RuleExplanation `json:"rules"`
}

type decisionDoc struct {
	Allow       bool        `json:"allow"`
	Form        access.Form `json:"form,omitempty"`
	Why         access.Why  `json:"why,omitempty"`
	Approvals   int         `json:"approvals"`
	RuleIDs     []string    `json:"rule_ids"`
	Obligations []string    `json:"obligations"`
	Budgets     []string    `json:"budgets"`
	Consent     string      `json:"consent,omitempty"`
	Notify      bool        `json:"notify"`
	ReviewHours int         `json:"review_hours"`
}

func explanationOf(version string, e access.Explanation) explanationDoc {
	d := e.Decision
	out := explanationDoc{
		Version: version, Sentence: e.Sentence, Demands: e.Demands, Rules: append([]access.RuleExplanation{}, e.Rules...),
		Decision: decisionDoc{
			Allow: d.Allow, Form: d.Form, Why: d.Why, Approvals: d.Approvals, Consent: d.Purpose, Notify: d.Notify,
			ReviewHours: int(d.Review / time.Hour), RuleIDs: append([]string{}, d.RuleIDs...),
			Obligations: append([]string{}, d.Obligations...), Budgets: []string{},
		},
	}
	for _, b := range d.Budgets {
		out.Decision.Budgets = append(out.Decision.Budgets, b.String())
	}
	return out
}
