package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/verify/verifycli"
)

// Forms in which a population or a sample is printed.
const (
	formatText = "text"
	formatJSON = "json"
	formatCSV  = "csv"
)

// drawn is what a population and a sample have in common: where the log is, and
// what of it is wanted.
type drawn struct {
	period
	Kind string `required:"" enum:"restorations,break_glass,denials,approvals,policy,keys,holds,erasures" help:"restorations, break_glass, denials, approvals, policy, keys, holds or erasures."`

	For      string `name:"reason" help:"Only those for this reason."`
	Actor    string `help:"Only what this caller did."`
	Client   string `help:"Only what was done through this client."`
	EndUser  string `help:"Only what was done for this end user, by the digest that entries have."`
	Entity   string `help:"Only those that count this entity."`
	Code     string `help:"Only those with this code."`
	Decision string `help:"Only those with this decision."`

	Bundle string   `type:"path" placeholder:"FILE" help:"A bundle of evidence, instead of a service."`
	LogKey []string `aliases:"key" sep:"none" placeholder:"KEY" help:"Verifier key of the log, or a file with one on each line. Without it the word of the bundle or of the service is taken for it."`

	URL        string `name:"url" env:"COUNTERFOIL_URL" help:"Address of the service."`
	BearerFile string `type:"path" env:"COUNTERFOIL_BEARER_FILE" help:"File with the bearer JWT of an auditor."`
	CA         string `name:"ca" type:"path" help:"PEM file of the authority that signed the service's certificate, in place of the system's."`

	Format string `enum:"text,json,csv" default:"text" help:"text, json or csv."`
	Out    string `short:"o" type:"path" placeholder:"FILE" help:"Where to write it, in place of standard output."`
}

func (d *drawn) filter() evidence.Filter {
	return evidence.Filter{
		Reason: d.For, Actor: d.Actor, Client: d.Client, EndUser: d.EndUser, Entity: d.Entity, Code: d.Code, Decision: audit.Decision(d.Decision),
	}
}

// open opens the log. Where a bundle is named it is that one, whatever the
// environment says of a service.
func (d *drawn) open(ctx context.Context, s streams) (*logCopy, error) {
	keys, err := verifycli.Keys("--log-key", d.LogKey)
	if err != nil {
		return nil, &exitCoded{exitUsage, err}
	}
	if d.Bundle != "" {
		if len(keys) == 0 {
			_, _ = fmt.Fprintln(s.err, "without --log-key it is not known who made the bundle: only that it is whole")
		}
		return ofBundle(d.Bundle, keys)
	}
	if d.URL == "" || d.BearerFile == "" {
		return nil, &exitCoded{exitUsage, errors.New("give --bundle, or --url and --bearer-file")}
	}
	r := remote{URL: d.URL, BearerFile: d.BearerFile, CA: d.CA, LogKey: keys}
	service, err := r.open()
	if err != nil {
		return nil, err
	}
	defer service.Close()
	log, err := ofService(ctx, service)
	return log, problem(err)
}

// populate lists the population and does something with it and its log. How long
// the whole log is says nothing about it: what comes after the period changes nothing.
func (d *drawn) populate(ctx context.Context, s streams, do func(*logCopy, *evidence.Population, io.Writer) error) (err error) {
	if err := d.span().Check(); err != nil {
		return &exitCoded{exitUsage, err}
	}
	log, err := d.open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.close()) }()
	p, err := evidence.Populate(ctx, log.source, log.head.Origin, d.span(), evidence.PopulationKind(d.Kind), d.filter())
	if err != nil {
		return err
	}
	if p.Size != log.head.Size || p.Root != log.head.Root {
		return errors.New("the log changed while it was read")
	}
	var out bytes.Buffer
	if err := do(log, p, &out); err != nil {
		return err
	}
	if d.Out != "" {
		return replaceFile(d.Out, out.Bytes())
	}
	_, err = out.WriteTo(s.out)
	return err
}

type evidencePopulationCommand struct {
	drawn
	By string `enum:",reason,actor,client,end_user,kind,code,decision" default:"" help:"Also count it by reason, actor, client, end_user, kind, code or decision. For text only."`
}

// Help says what makes it one.
func (evidencePopulationCommand) Help() string {
	return evidence.Definition + "\n\nOf the same log the same population comes out, online and of a bundle, with the same digest. A log that is not\n" +
		"sound up to its signed head gives none."
}

// Run lists the population.
func (c *evidencePopulationCommand) Run(ctx context.Context, s streams) error {
	if c.By != "" && c.Format != formatText {
		return &exitCoded{exitUsage, errors.New("--by is for --format text: the other formats list every item")}
	}
	return c.populate(ctx, s, func(_ *logCopy, p *evidence.Population, w io.Writer) error {
		switch c.Format {
		case formatJSON:
			return p.WriteJSON(w)
		case formatCSV:
			return evidence.WriteCSV(w, p.Table())
		}
		describePopulation(w, p)
		if c.By == "" {
			return nil
		}
		groups, err := p.By(c.By)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, g := range groups {
			_, _ = fmt.Fprintf(table, "%s\t%d\n", orDash(g.Name), g.Items)
		}
		return table.Flush()
	})
}

// orDash is a name, or a dash where there is none.
func orDash(name string) string {
	if name == "" {
		return "-"
	}
	return name
}

func describePopulation(w io.Writer, p *evidence.Population) {
	lines(w, "kind", string(p.Kind), "from", stamp(p.Period.From), "to", stamp(p.Period.To), "filter", p.Filter.String(),
		"log", fmt.Sprintf("%s size=%d root=%s", p.Origin, p.Size, p.Root), "entries", fmt.Sprintf("%d to %d (exclusive)", p.First, p.Last))
	if p.Pruned > 0 {
		lines(w, "pruned", fmt.Sprintf("%d entries of the log: whether they would be in it cannot be told any more", p.Pruned))
	}
	lines(w, "items", fmt.Sprint(len(p.Items)), "sha256", fmt.Sprintf("%x", p.Digest))
}

type evidenceSampleCommand struct {
	drawn
	Size     int    `required:"" help:"How many items."`
	Seed     string `required:"" help:"What decides which. Who is audited must not choose it."`
	Receipts string `type:"path" placeholder:"FILE" help:"Where to write the proof of each item, one on each line, as 'counterfoil-verify --receipt' takes them. JSON holds them as well."`
}

// Run draws the sample.
func (c *evidenceSampleCommand) Run(ctx context.Context, s streams) error {
	return c.populate(ctx, s, func(log *logCopy, p *evidence.Population, w io.Writer) error {
		draws, err := evidence.Sample(p, c.Size, c.Seed)
		if err != nil {
			return err
		}
		tree, err := log.tree()
		if err != nil {
			return err
		}
		receipts, err := evidence.Receipts(draws, log.head, log.checkpoint, tree.Prove)
		if err != nil {
			return err
		}
		if err := c.keep(receipts); err != nil {
			return err
		}
		switch c.Format {
		case formatJSON:
			return evidence.WriteSampleJSON(w, p, draws, receipts, c.Seed)
		case formatCSV:
			return evidence.WriteCSV(w, evidence.SampleTable(p, draws, c.Seed))
		}
		describePopulation(w, p)
		return describeDraws(w, draws)
	})
}

// keep writes the proofs.
func (c *evidenceSampleCommand) keep(receipts []audit.Receipt) error {
	if c.Receipts == "" {
		return nil
	}
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	for i := range receipts {
		if err := out.Encode(client.Receipt(receipts[i])); err != nil {
			return err
		}
	}
	return replaceFile(c.Receipts, text.Bytes())
}

func describeDraws(w io.Writer, draws []evidence.Draw) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "DRAW\tENTRY\tTIME\tKIND\tDECISION\tREASON\tACTOR\tREFERENCE")
	for i := range draws {
		d := &draws[i]
		_, _ = fmt.Fprintf(table, "%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Draw, d.Index, stamp(d.Time), d.Kind, d.Decision, d.Reason, d.Actor, d.Reference)
	}
	return table.Flush()
}
