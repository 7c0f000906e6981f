package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
)

type auditCommands struct {
	Search      auditSearchCommand      `cmd:"" help:"Search the log."`
	Proof       auditProofCommand       `cmd:"" help:"Have an entry proven, and check the proof."`
	Consistency auditConsistencyCommand `cmd:"" help:"Have it proven that the log was only added to, and check the proof."`
	Keys        auditKeysCommand        `cmd:"" help:"List the keys of the log, and fetch the notes by which each vouches for the next."`
}

type auditSearchCommand struct {
	remote
	Names string `type:"path" placeholder:"FILE" help:"JSON file, - for standard input, with any of subject, scope and end_user: names do not belong on a command line."`

	SubjectRef    string `help:"A person, as entries name them."`
	ScopeRef      string `help:"A scope, as entries name it."`
	EndUserDigest string `help:"An end user, as entries name them."`
	Actor         string `help:"Who acted."`
	Client        string `help:"The machine that called."`
	Approver      string `help:"Who agreed to it."`
	Kind          string `help:"The kind of entry, such as restore."`
	Decision      string `help:"The decision of the policy."`
	For           string `name:"reason" help:"The reason."`
	Reference     string `help:"The ticket, matter or incident."`
	Entity        string `help:"An entity that it counts."`
	Class         string `help:"A class of what it was about."`
	Destination   string `help:"Where a prompt was going."`
	Policy        string `name:"policy-version" help:"The policy that decided."`
	Token         string `help:"A token, or its id."`
	RequestID     string `help:"The Request-Id of an answer."`
	Since         utc    `placeholder:"TIME" help:"From then on."`
	Until         utc    `placeholder:"TIME" help:"Before."`

	Newest bool   `help:"The newest first."`
	Limit  int    `default:"100" help:"How many at most, up to 1000."`
	Cursor string `help:"Go on after the page that gave it."`
	Count  bool   `help:"Also count all that match."`
}

type searchNames struct {
	Subject string `json:"subject"`
	Scope   string `json:"scope"`
	EndUser string `json:"end_user"`
}

func (c *auditSearchCommand) query() (client.AuditQuery, error) {
	var names searchNames
	if c.Names != "" {
		if err := readJSON(c.Names, &names); err != nil {
			return client.AuditQuery{}, fmt.Errorf("--names: %w", err)
		}
	}
	return client.AuditQuery{
		Subject: names.Subject, Scope: names.Scope, EndUser: names.EndUser,
		SubjectRef: c.SubjectRef, ScopeRef: c.ScopeRef, EndUserDigest: c.EndUserDigest,
		Actor: c.Actor, Client: c.Client, Approver: c.Approver, Kind: c.Kind, Decision: c.Decision, Reason: c.For,
		Reference: c.Reference, Entity: c.Entity, Class: c.Class, Destination: c.Destination, PolicyVersion: c.Policy,
		Token: c.Token, RequestID: c.RequestID, Since: given(&c.Since.Time), Until: given(&c.Until.Time),
		Descending: c.Newest, Limit: c.Limit, Cursor: c.Cursor, Count: c.Count,
	}, nil
}

// Run searches.
func (c *auditSearchCommand) Run(ctx context.Context, s streams) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.AuditPage, error) { return service.AuditSearch(ctx, query) }, describeEntries)
}

func describeEntries(w io.Writer, page *client.AuditPage) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ENTRY\tTIME\tKIND\tDECISION\tREASON\tREFERENCE\tACTOR\tCLIENT\tCODE\tCHANGE")
	for i := range page.Entries {
		stored := &page.Entries[i]
		var e audit.Entry
		if stored.Pruned || json.Unmarshal(stored.Entry, &e) != nil {
			_, _ = fmt.Fprintf(table, "%d\t-\t-\t-\t-\t-\t-\t-\t-\t-\n", stored.Index)
			continue
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", stored.Index, stamp(e.Time), e.Kind, orDash(string(e.Decision)),
			orDash(e.Reason), orDash(e.Reference), orDash(e.Actor), orDash(e.Client.ClientID), orDash(e.Code), e.ChangeID)
	}
	_ = table.Flush() // into memory
	if page.Count != nil {
		lines(w, "count", fmt.Sprint(*page.Count))
	}
	lines(w, "cursor", page.NextCursor)
}

type auditProofCommand struct {
	remote
	Index int64 `arg:"" help:"The entry."`
	Size  int64 `help:"Prove it in the log of so many entries. Without it, in the log as it stands now."`
}

// Run has it proven.
func (c *auditProofCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Receipt, error) { return service.AuditProof(ctx, c.Index, c.Size) },
		func(w io.Writer, r *client.Receipt) {
			lines(w, "log", r.Log, "entry", fmt.Sprint(r.Index), "leaf", r.LeafHash.String(), "size", fmt.Sprint(r.TreeSize), "root", r.RootHash.String(), "proof", "holds")
		})
}

type auditConsistencyCommand struct {
	remote
	From int64 `required:"" help:"Entries of the earlier log."`
	To   int64 `help:"Entries of the later log. Without it, of the log as it stands now."`
}

// Run has it proven.
func (c *auditConsistencyCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Consistency, error) {
		return service.Consistency(ctx, c.From, c.To)
	},
		func(w io.Writer, p *client.Consistency) {
			lines(w, "from", fmt.Sprintf("%d %s", p.From, p.FromRoot), "to", fmt.Sprintf("%d %s", p.To, p.ToRoot), "proof", "holds")
		})
}

type auditKeysCommand struct {
	remote
	Handovers string `type:"path" placeholder:"DIR" help:"Write each note as a file there, for 'counterfoil-verify --handover', the oldest first by name."`
}

// Run lists them.
func (c *auditKeysCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) ([]client.LogKey, error) {
		keys, err := service.LogKeys(ctx)
		if err != nil {
			return nil, err
		}
		return keys, c.write(keys)
	}, func(w io.Writer, keys []client.LogKey) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "VERSION\tSINCE\tTRUSTED\tHANDED OVER\tKEY")
		for _, k := range keys {
			_, _ = fmt.Fprintf(table, "%d\t%s\t%v\t%v\t%s\n", k.Version, moment(&k.Since), k.Trusted, k.Handover != "", k.Key)
		}
		_ = table.Flush() // into memory
	})
}

func (c *auditKeysCommand) write(keys []client.LogKey) error {
	for _, k := range keys {
		if c.Handovers == "" || k.Handover == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(c.Handovers, fmt.Sprintf("handover-%03d", k.Version)), []byte(k.Handover), 0o600); err != nil {
			return err
		}
	}
	return nil
}
