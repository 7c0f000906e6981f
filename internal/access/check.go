package access

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrTables is wrapped by Report.Err when a decision is not the one that the
// tables demand, or a combination is not decided by any of them.
var ErrTables = errors.New("access: the decision tables fail")

const (
	// maxFacts bounds the combinations of attributes in one bucket.
	maxFacts = 64
	// unnamedTool stands for a tool that no reason or table names.
	unnamedTool = "unnamed-tool"
)

// Report is the result of Check.
type Report struct {
	Tables       int
	Combinations int
	Decided      int       // by at least one sentence
	Sentences    []string  // every decision of every table, in words
	Failures     []Failure // none if the tables agree
}

// Failure is what is wrong with one role, class and reason. One wrong rule
// fails hundreds of combinations, of which the first is told.
type Failure struct {
	What  string // "restorer × restricted × BREAK_GLASS"
	First string
	Count int
}

func (f Failure) String() string {
	if f.Count == 1 {
		return f.What + " " + f.First
	}
	return fmt.Sprintf("%s %s (and %d more)", f.What, f.First, f.Count-1)
}

// Err is an error if anything failed.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d failures", ErrTables, len(r.Failures))
}

// String is the report for people: the sentences, what failed, the coverage.
func (r Report) String() string {
	var b strings.Builder
	for _, s := range r.Sentences {
		b.WriteString(s + "\n")
	}
	for _, f := range r.Failures {
		b.WriteString("FAIL " + f.String() + "\n")
	}
	percent := 0.0
	if r.Combinations > 0 {
		percent = 100 * float64(r.Decided) / float64(r.Combinations)
	}
	fmt.Fprintf(&b, "%d tables, %d sentences, %d of %d combinations decided (%.4g%%), %d failures\n",
		r.Tables, len(r.Sentences), r.Decided, r.Combinations, percent, len(r.Failures))
	return b.String()
}

// fail adds to the failure of what.
func (r *Report) fail(what, detail string) {
	for i := range r.Failures {
		if r.Failures[i].What == what {
			r.Failures[i].Count++
			return
		}
	}
	r.Failures = append(r.Failures, Failure{What: what, First: detail, Count: 1})
}

// Check asks the policy every combination of role, class and reason, in every
// relation of caller and scope (client, end user, MFA, the attributes and the
// second person that a rule or table asks for, and what else the reason demands:
// hours, network, authentication, consent) for live data in prose, and then, for
// the best relation, every place and every state of the data, each with as many
// approvals as it takes and with fewer; and every role for every other action.
// Each answer must be the one of each sentence that covers it,
// and each must be covered. The report says whether they are; the error is that
// of the context.
func (p *Policy) Check(ctx context.Context) (Report, error) {
	report := Report{Tables: len(p.tables)}
	for _, b := range p.subjects() {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		if err := p.checkBucket(ctx, b, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

// subjects are all actions and reasons, whether rules or tables exist or not.
func (p *Policy) subjects() []bucket {
	var out []bucket
	for _, action := range Actions() {
		if action != ActionRestore {
			out = append(out, bucket{action, none})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(p.reasons)) {
		out = append(out, bucket{ActionRestore, code})
	}
	return out
}

// sentence is a line of a table while it is checked.
type sentence struct {
	*line
	name string
	hits int
}

func (p *Policy) checkBucket(ctx context.Context, b bucket, report *Report) error {
	var sentences []*sentence
	for _, t := range p.tables {
		for i := range t.lines {
			if t.bucket == b {
				name := fmt.Sprintf("%s, decision %d", t.file, i+1)
				sentences = append(sentences, &sentence{line: &t.lines[i], name: name})
				report.Sentences = append(report.Sentences, t.lines[i].sentence(b))
			}
		}
	}
	requests, err := p.combinations(b, sentences)
	if err != nil {
		report.fail(string(b.action)+" × "+b.reason, err.Error())
		return nil
	}
	for i := range requests {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.checkCombination(&requests[i], p.reasons[b.reason], sentences, report)
	}
	for _, s := range sentences {
		if s.hits == 0 {
			report.fail(s.name, "covers nothing: "+s.sentence(b))
		}
	}
	return nil
}

func (p *Policy) checkCombination(r *Request, reason *Reason, sentences []*sentence, report *Report) {
	report.Combinations++
	d := p.Decide(*r)
	decided := false
	for _, s := range sentences {
		if !s.covers(r, reason) {
			continue
		}
		decided = true
		s.hits++
		if !s.agrees(r, d) {
			report.fail(subject(r), fmt.Sprintf("(%s): %s demands %s, got %s", circumstance(r), s.name,
				outcome(s.allow, s.form, s.after, s.why), outcome(d.Allow, d.Form, d.Approvals, d.Why)))
		}
	}
	if !decided {
		report.fail(subject(r), "("+circumstance(r)+"): not decided by any table")
		return
	}
	report.Decided++
}

func outcome(allow bool, form Form, after int, why Why) string {
	switch {
	case !allow:
		return getsNothing + " (" + string(why) + ")"
	case form == "":
		return getsAllowed
	case after > 0:
		return fmt.Sprintf("%s after %d", form, after)
	}
	return string(form)
}

// subject names what must be decided.
func subject(r *Request) string {
	if r.Action == ActionRestore {
		return r.Roles[0] + " × " + string(r.Class) + " × " + r.Reason
	}
	return r.Roles[0] + " × " + string(r.Action)
}

// circumstance names the rest of a combination.
func circumstance(r *Request) string {
	client := clientOther
	if r.SameClient {
		client = clientSame
	}
	parts := []string{"client " + client, "end user " + string(r.EndUser), fmt.Sprintf("mfa %t", r.MFA)}
	if r.SecondPerson {
		parts = append(parts, "a second person")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		parts = append(parts, attributePrefix+name+"="+r.Attributes[name])
	}
	if r.Environment != "" {
		parts = append(parts, environmentPrefix+r.Environment)
	}
	if r.Action == ActionRestore {
		parts = append(parts, demandsMet(r)...)
		parts = append(parts, r.Entity, "in "+strings.TrimSpace(string(r.Place)+" "+r.Tool), storedWord(r))
	}
	return strings.Join(parts, ", ")
}

// demandsMet names what of the demands of a reason a combination brings.
func demandsMet(r *Request) []string {
	var parts []string
	if r.Approved > 0 {
		parts = append(parts, fmt.Sprintf("approved by %d", r.Approved))
	}
	if r.Consented {
		parts = append(parts, "with consent")
	}
	if r.ACR != "" {
		parts = append(parts, "acr "+r.ACR)
	}
	if !r.At.IsZero() {
		parts = append(parts, "at "+r.At.Format("Mon 15:04"))
	}
	if r.Address.IsValid() {
		parts = append(parts, "from "+r.Address.String())
	}
	return parts
}
