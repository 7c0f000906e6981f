package main

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
)

// speedHeading begins the part of the report that is another each time.
const speedHeading = "## Speed"

// anchor is what a row is read next to: what Presidio's own evaluation publishes, what a first cut reached, and the
// least that we accept, all as the project's goals have them.
type anchor struct {
	presidio, seen string
	precision      float64 // least; 0 where there is none
	recall         float64
	f1             float64
}

var contact = []struct {
	entity string
	anchor
}{
	{email, anchor{"R 1", "R .95–1", .98, .98, 0}},
	{card, anchor{"R .77", "R .95–1", .98, .98, 0}},
	{iban, anchor{"R 1", "R .95–1", .98, .98, 0}},
	{ip, anchor{"R .93", "R .95–1", .98, .98, 0}},
	{ssn, anchor{"R 1", "R .95–1", .98, .98, 0}},
	{phone, anchor{"F1 .31–.55", "P .95 R .87", .93, .87, 0}},
}

// places are the anchors of the natural sets, in their order.
var places = map[string][]anchor{
	person:   {{"–", "F1 .79", 0, 0, .80}, {"F1 .61", "F1 .75", 0, 0, .76}, {"–", "F1 .52", 0, 0, .54}},
	location: {{"–", "F1 .72", 0, 0, .74}, {"F1 .26", "F1 .51", 0, 0, .62}, {"–", "F1 .47", 0, 0, .50}},
}

// page is a Markdown page in the making.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { _, _ = fmt.Fprintf(p, format+"\n", args...) }

// markdown is the figures as a page.
func (f *figures) markdown() string {
	p := &page{}
	p.line("# Detection, measured")
	p.line("")
	p.line("Written by `make eval DATA=<folder of data sets>`; rules %s, Go sources of %s.", f.version, runtime.Version())
	p.line("")
	_, _ = p.WriteString(notes) // a builder takes everything
	f.contactTable(p)
	f.placesTable(p)
	f.otherTable(p)
	f.ratesTable(p)
	f.conformanceTable(p)
	f.secretsTable(p)
	return p.String()
}

const header = "| entity | labels | found | right | to the byte | P | R | F1 | F2 | covered by any | Presidio | first cut | must | met |\n" +
	"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|---|---|"

// row is one line of the table with this header.
func (p *page) row(name string, t tally, a anchor) {
	p.line("| %s | %d | %d | %d | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %s | %s | %s | %s |", name, t.wanted, t.found, t.right,
		t.exact, t.precision(), t.recall(), t.f(1), t.f(2), ratio(t.covered, t.chars), a.presidio, a.seen, a.must(), a.met(t))
}

func (a anchor) must() string {
	switch {
	case a.f1 > 0:
		return fmt.Sprintf("F1 %.2f", a.f1)
	case a.recall > 0:
		return fmt.Sprintf("P %.2f R %.2f", a.precision, a.recall)
	}
	return "–"
}

func (a anchor) met(t tally) string {
	if a.f1 == 0 && a.recall == 0 {
		return "–"
	}
	return yes(t.precision() >= a.precision && t.recall() >= a.recall && t.f(1) >= a.f1)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "**no**"
}

func (f *figures) contactTable(p *page) {
	p.line("## Contact and payment, synthetic texts\n\n%s", header)
	for _, c := range contact {
		p.row(c.entity, *sum(f.synthetic, c.entity), c.anchor)
	}
	p.line("")
}

func (f *figures) placesTable(p *page) {
	p.line("## Names and places\n\n%s", header)
	for _, e := range []string{person, location} {
		for i, s := range f.natural {
			p.row(e+", "+s.name, *sum(s.merged, e), places[e][i])
			if e == location {
				p.row("– its parts one by one", *sum(s.single, e), anchor{"–", "–", 0, 0, 0})
			}
		}
	}
	p.line("")
}

// otherTable is every other entity that the synthetic texts label, with what the opt-in entities add.
func (f *figures) otherTable(p *page) {
	p.line("## Everything that the synthetic texts label\n")
	p.line("| entity | labels | P | R | covered by any | with opt-in: P | R | covered by any |\n|---|--:|--:|--:|--:|--:|--:|--:|")
	var total, totalAll tally
	for _, e := range slices.Sorted(maps.Keys(f.synthetic)) {
		t, all := *f.synthetic[e], *sum(f.optIn, e)
		if t.wanted == 0 {
			continue
		}
		total.add(t)
		totalAll.add(all)
		p.line("| %s | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |", e, t.wanted, t.precision(), t.recall(), ratio(t.covered, t.chars),
			all.precision(), all.recall(), ratio(all.covered, all.chars))
	}
	p.line("| all of them | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |", total.wanted, total.precision(), total.recall(),
		ratio(total.covered, total.chars), totalAll.precision(), totalAll.recall(), ratio(totalAll.covered, totalAll.chars))
	p.line("")
}

// most are the rates of false hits that we accept per 100 kB: in prompts, and in code.
var most = map[string][2]string{
	phone: {"0.5", "–"}, card: {"0", "–"}, ssn: {"0", "–"}, iban: {"0", "–"}, person: {"–", "3"},
}

func (f *figures) ratesTable(p *page) {
	p.line("## Hits per 100 kB of texts without labels\n")
	p.line("%d bytes of prompts, %d bytes of Go sources.\n", f.prompts.size, f.code.size)
	p.line("| entity | prompts | most | code | most |\n|---|--:|--:|--:|--:|")
	hit := map[string]bool{}
	for _, m := range []map[string]int{f.prompts.counts, f.code.counts} {
		for e := range m {
			hit[e] = true
		}
	}
	for e := range most {
		hit[e] = true
	}
	for _, e := range slices.Sorted(maps.Keys(hit)) {
		limits, ok := most[e]
		if !ok {
			limits = [2]string{"–", "–"}
		}
		p.line("| %s | %.2f | %s | %.2f | %s |", e, f.prompts.per100kB(e), limits[0], f.code.per100kB(e), limits[1])
	}
	p.line("")
}

// notIDs are the entities of the conformance cases that are no identifiers.
var notIDs = []string{email, phone, card, iban, ip, person, "URL", "DATE_TIME", "MAC_ADDRESS", "CRYPTO"}

func (f *figures) conformanceTable(p *page) {
	p.line("## Conformance cases of Presidio's recognisers\n")
	p.line("| entity | positives | found | with opt-in | negatives | silent | weak | silent |\n|---|--:|--:|--:|--:|--:|--:|--:|")
	var ids, others conformance
	for _, e := range slices.Sorted(maps.Keys(f.conform)) {
		c := *f.conform[e]
		if slices.Contains(notIDs, e) {
			others.sum(c)
		} else {
			ids.sum(c)
		}
		p.conformance(e, c)
	}
	p.conformance("identifiers", ids)
	p.conformance("all others", others)
	p.line("\nIdentifiers: %.1f%% of positives found (must: 95%%), %.1f%% of negatives silent (must: 97%%).\n",
		100*ratio(ids.found, ids.positives), 100*ratio(ids.silent, ids.negatives))
}

func (p *page) conformance(name string, c conformance) {
	p.line("| %s | %d | %d | %d | %d | %d | %d | %d |", name, c.positives, c.found, c.foundAll, c.negatives, c.silent, c.weak, c.quiet)
}

func (c *conformance) sum(o conformance) {
	c.positives += o.positives
	c.found += o.found
	c.foundAll += o.foundAll
	c.negatives += o.negatives
	c.silent += o.silent
	c.weak += o.weak
	c.quiet += o.quiet
}

// worstRules is how many rules with misses are listed.
const worstRules = 12

func (f *figures) secretsTable(p *page) {
	s := f.secrets
	p.line("## Secrets, samples of gitleaks\n")
	p.line("%d of %d positives found, %.1f%% (must: 97%%); %d of %d negatives reported, %.1f%% (at most 3%%).", s.found, s.positives,
		100*ratio(s.found, s.positives), s.reported, s.negatives, 100*ratio(s.reported, s.negatives))
	rules := slices.SortedFunc(maps.Keys(s.missed), func(a, b string) int {
		return cmp.Or(s.missed[b]-s.missed[a], strings.Compare(a, b))
	})
	var worst []string
	for _, r := range rules[:min(len(rules), worstRules)] {
		worst = append(worst, fmt.Sprintf("%s %d", r, s.missed[r]))
	}
	if len(worst) > 0 {
		p.line("Misses by rule, the most first: %s.", strings.Join(worst, ", "))
	}
	p.line("")
}
