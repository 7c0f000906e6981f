package evidence_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// naive says which changes are in a population, told by the entries one by one.
var naive = map[evidence.PopulationKind]func(e audit.Entry) bool{
	evidence.PopulationRestorations: func(e audit.Entry) bool {
		return (e.Kind == "restore" || e.Kind == "grant") && (e.Decision == "allow" || e.Decision == "partial")
	},
	evidence.PopulationBreakGlass: func(e audit.Entry) bool {
		return e.Kind == "restore" && e.Decision == "allow" && strings.Contains(strings.Join(e.Obligations, " "), "review_hours:")
	},
	evidence.PopulationDenials: func(e audit.Entry) bool { return e.Decision == "deny" },
	evidence.PopulationApprovals: func(e audit.Entry) bool {
		return e.Kind == "approval_request" && e.Decision != "deny"
	},
	evidence.PopulationPolicy: func(e audit.Entry) bool { return strings.HasPrefix(string(e.Kind), "policy_") && e.Decision != "deny" },
	evidence.PopulationKeys: func(e audit.Entry) bool {
		switch e.Kind {
		case "tenant_create", "key_create", "key_rotate", "key_rewrap", "key_retire", "finality", "key_destroy", "log_rotate":
			return e.Decision != "deny"
		case "erase", "replay", "sweep":
			return e.Decision != "deny" && e.Counts["keys"] > 0
		}
		return false
	},
	evidence.PopulationHolds:    func(e audit.Entry) bool { return strings.HasPrefix(string(e.Kind), "hold_") && e.Decision != "deny" },
	evidence.PopulationErasures: func(e audit.Entry) bool { return (e.Kind == "erase" || e.Kind == "replay") && e.Decision != "deny" },
}

// TestPopulationIsComplete compares populations with a naive filter.
func TestPopulationIsComplete(t *testing.T) {
	quarters(t, func(t *testing.T, q *evidencetest.Quarter) {
		for _, kind := range evidence.PopulationKinds() {
			var want []int64
			err := q.Source()(func(one evidence.Entry) error {
				if one.Entry.Seq == 0 && q.Period.Holds(one.Entry.Time) && naive[kind](one.Entry) {
					want = append(want, one.Index)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			p := populated(t, q.Source(), q.Period, kind)
			var got []int64
			for _, item := range p.Items {
				got = append(got, item.Index)
				if item.Index < p.First || item.Last >= p.Last || q.Hashes[item.Index] != item.Hash {
					t.Errorf("%s: entry %d is not in the range, or has another hash", kind, item.Index)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", kind, diff)
			}
		}
	})
}

func TestFilter(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 1500)
	all := populated(t, q.Source(), q.Period, evidence.PopulationRestorations)
	filtered := func(f evidence.Filter) *evidence.Population {
		p, err := evidence.Populate(context.Background(), q.Source(), evidencetest.Origin, q.Period, evidence.PopulationRestorations, f)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, by := range evidence.GroupNames() {
		groups, err := all.By(by)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, g := range groups {
			n += g.Items
		}
		if n != len(all.Items) {
			t.Errorf("by %s there are %d items, in all %d", by, n, len(all.Items))
		}
	}
	reasons, err := all.By("reason")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range reasons {
		p := filtered(evidence.Filter{Reason: g.Name})
		if len(p.Items) != g.Items || p.Digest == all.Digest {
			t.Errorf("of reason %s there are %d items, counted were %d; or the digest does not tell the filter", g.Name, len(p.Items), g.Items)
		}
	}
	if n := len(filtered(evidence.Filter{Entity: "US_SSN", Actor: "olga"}).Items); n == 0 || n == len(all.Items) {
		t.Errorf("two fields select %d items", n)
	}
	if len(filtered(evidence.Filter{Decision: audit.Deny}).Items) != 0 {
		t.Error("a restoration was denied")
	}
	if _, err := all.By("subject"); !errors.Is(err, evidence.ErrPopulation) {
		t.Errorf("counted by what it cannot be: %v", err)
	}
	if _, err := evidence.Populate(context.Background(), q.Source(), evidencetest.Origin, q.Period, "subjects", evidence.Filter{}); !errors.Is(err, evidence.ErrPopulation) {
		t.Errorf("a population of a kind that there is not: %v", err)
	}
}

// redraw is the algorithm of a sample, as the comment of Sample has it, written a
// second time.
func redraw(p *evidence.Population, size int, seed string) []int64 {
	type ranked struct {
		key   string
		index int64
	}
	var all []ranked
	for _, item := range p.Items {
		mac := hmac.New(sha256.New, []byte(seed))
		message := binary.BigEndian.AppendUint64(slices.Clone(p.Digest[:]), uint64(item.Index))
		mac.Write(message)
		all = append(all, ranked{string(mac.Sum(nil)), item.Index})
	}
	slices.SortFunc(all, func(a, b ranked) int { return strings.Compare(a.key, b.key) })
	var indexes []int64
	for _, one := range all[:min(size, len(all))] {
		indexes = append(indexes, one.index)
	}
	return indexes
}

func indexes(draws []evidence.Draw) (out []int64) {
	for _, d := range draws {
		out = append(out, d.Index)
	}
	return out
}

// TestSample shows that a sample is of its population, without replacement, the same
// for the same seed, begun by a smaller one, and drawn again by anybody.
func TestSample(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 1500)
	populations := make(map[evidence.PopulationKind]*evidence.Population)
	for _, kind := range evidence.PopulationKinds() {
		populations[kind] = populated(t, q.Source(), q.Period, kind)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := populations[rapid.SampledFrom(evidence.PopulationKinds()).Draw(t, "kind")]
		size, seed := rapid.IntRange(1, 400).Draw(t, "size"), rapid.StringN(1, 40, 200).Draw(t, "seed")
		draws, err := evidence.Sample(p, size, seed)
		if err != nil {
			t.Fatal(err)
		}
		got := indexes(draws)
		if diff := cmp.Diff(redraw(p, size, seed), got); diff != "" {
			t.Fatalf("drawn again it is another one: %s", diff)
		}
		if len(got) != min(size, len(p.Items)) {
			t.Fatalf("%d items of %d, asked for were %d", len(got), len(p.Items), size)
		}
		seen := make(map[int64]bool)
		for i, d := range draws {
			if seen[d.Index] || d.Draw != i+1 || !slices.ContainsFunc(p.Items, func(item evidence.Item) bool { return item == d.Item }) {
				t.Fatalf("draw %d is not of the population, or there twice", i+1)
			}
			seen[d.Index] = true
		}
		less, err := evidence.Sample(p, max(1, size/2), seed)
		if err != nil || !slices.Equal(indexes(less), got[:len(less)]) {
			t.Fatalf("a larger sample does not begin with the smaller one: %v", err)
		}
	})
}

// TestSampleTwin shows that another seed, and another population, give another
// sample: one that did not depend on them could be foreseen.
func TestSampleTwin(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 1500)
	p := populated(t, q.Source(), q.Period, evidence.PopulationRestorations)
	sample := func(p *evidence.Population, seed string) []int64 {
		draws, err := evidence.Sample(p, 25, seed)
		if err != nil {
			t.Fatal(err)
		}
		return indexes(draws)
	}
	if slices.Equal(sample(p, "2026-10-05"), sample(p, "2026-10-06")) {
		t.Error("another seed draws the same")
	}
	changed := *p
	changed.Digest[0] ^= 1
	if slices.Equal(sample(p, "2026-10-05"), sample(&changed, "2026-10-05")) {
		t.Error("of another population the same is drawn")
	}
	for name, draw := range map[string]func() error{
		"no items": func() error { _, err := evidence.Sample(p, 0, "s"); return err },
		"too many": func() error { _, err := evidence.Sample(p, evidence.MaxSample+1, "s"); return err },
		"no seed":  func() error { _, err := evidence.Sample(p, 1, ""); return err },
		"a long seed": func() error {
			_, err := evidence.Sample(p, 1, strings.Repeat("s", 300))
			return err
		},
	} {
		if err := draw(); !errors.Is(err, evidence.ErrPopulation) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSampleIsFair draws many samples: every item comes about as often as any other.
func TestSampleIsFair(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 500)
	p := populated(t, q.Source(), q.Period, evidence.PopulationApprovals)
	const rounds = 4000
	times := make(map[int64]int)
	for i := range rounds {
		draws, err := evidence.Sample(p, 3, fmt.Sprint("seed ", i))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range draws {
			times[d.Index]++
		}
	}
	want := float64(rounds*3) / float64(len(p.Items))
	for index, n := range times {
		if got := float64(n); got < 0.8*want || got > 1.2*want {
			t.Errorf("entry %d was drawn %d times, about %.0f were to be expected", index, n, want)
		}
	}
	if len(times) != len(p.Items) {
		t.Errorf("%d of %d items were ever drawn", len(times), len(p.Items))
	}
}

// TestReceipts shows that each draw proves itself, from the log and from a bundle,
// and the twin: that a draw with another hash or place does not.
func TestReceipts(t *testing.T) {
	q := evidencetest.MadePruned(2, 1000)
	opened, err := evidence.OpenBundle(saved(t, written(t, bundleOf(t, q), q)), q.Keys...)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := evidence.NewTree(q.Source())
	if err != nil {
		t.Fatal(err)
	}
	online := populated(t, q.Source(), q.Period, evidence.PopulationRestorations)
	offline := populated(t, opened.Source(), q.Period, evidence.PopulationRestorations)
	if online.Digest != offline.Digest {
		t.Fatal("the population of the bundle is another one than that of the log")
	}
	draws, err := evidence.Sample(offline, 25, "seed")
	if err != nil {
		t.Fatal(err)
	}
	for name, prove := range map[string]func(size, index int64) ([]audit.Hash, error){"log": tree.Prove, "bundle": opened.Tree.Prove} {
		receipts, err := evidence.Receipts(draws, opened.Head, opened.Checkpoint, prove)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range receipts {
			if err := r.Verify(opened.Keys...); err != nil || r.Index != draws[i].Index || r.LeafHash != draws[i].Hash {
				t.Errorf("%s: draw %d: %v", name, i+1, err)
			}
			r.LeafHash[0] ^= 1
			if r.Verify(opened.Keys...) == nil {
				t.Errorf("%s: draw %d proves another leaf, too", name, i+1)
			}
			r.LeafHash[0] ^= 1
			r.Index++
			if r.Verify(opened.Keys...) == nil {
				t.Errorf("%s: draw %d proves another place, too", name, i+1)
			}
		}
	}
	if _, err := evidence.Receipts(draws, audit.TreeHead{Size: 10}, nil, tree.Prove); err == nil {
		t.Error("an entry beyond the checkpoint was proved")
	}
}

// vector is a population and a sample of it as a file has them.
type vector struct {
	About  string   `json:"about"`
	Origin string   `json:"origin"`
	Kind   string   `json:"kind"`
	Period string   `json:"period"`
	Filter string   `json:"filter"`
	Items  []string `json:"items"` // index, leaf hash, time, change id
	Digest string   `json:"digest"`
	Seed   string   `json:"seed"`
	Draws  []int64  `json:"draws"`
	Keys   []string `json:"keys"`
}

// TestSampleVectors compares with a file that others can check their own tools with.
// It was made by the same code and checked by redraw. COUNTERFOIL_WRITE=1 writes it
// anew.
func TestSampleVectors(t *testing.T) {
	const path = "testdata/sample.json"
	l := told(t)
	var got []vector
	for _, of := range []struct {
		kind   evidence.PopulationKind
		filter evidence.Filter
	}{
		{evidence.PopulationRestorations, evidence.Filter{}},
		{evidence.PopulationRestorations, evidence.Filter{Actor: "gw", Reason: "LLM_RESPONSE"}},
		{evidence.PopulationDenials, evidence.Filter{}},
		{evidence.PopulationPolicy, evidence.Filter{}},
	} {
		p, err := evidence.Populate(context.Background(), l.source(), origin, july, of.kind, of.filter)
		if err != nil {
			t.Fatal(err)
		}
		v := vector{
			About:  "SHA-256 of the lines title, origin, kind, period, filter and items is the digest; see Populate and Sample",
			Origin: p.Origin, Kind: string(p.Kind), Period: "2026-07-01T00:00:00Z/2026-08-01T00:00:00Z", Filter: p.Filter.String(),
			Digest: hex.EncodeToString(p.Digest[:]), Seed: "an auditor's seed",
		}
		lines := []string{"counterfoil population v1", v.Origin, v.Kind, v.Period, v.Filter}
		for _, item := range p.Items {
			v.Items = append(v.Items, fmt.Sprintf("%d %s %s %s", item.Index, item.Hash, item.Time.Format("2006-01-02T15:04:05.000000Z"), item.ChangeID))
		}
		if sum := sha256.Sum256([]byte(strings.Join(append(lines, v.Items...), "\n") + "\n")); !bytes.Equal(sum[:], p.Digest[:]) {
			t.Errorf("%s: the digest is not that of the lines", v.Kind)
		}
		draws, err := evidence.Sample(p, 3, v.Seed)
		if err != nil {
			t.Fatal(err)
		}
		v.Draws = indexes(draws)
		for _, d := range draws {
			v.Keys = append(v.Keys, hex.EncodeToString(d.Key[:]))
		}
		if diff := cmp.Diff(redraw(p, 3, v.Seed), v.Draws); diff != "" {
			t.Error(diff)
		}
		got = append(got, v)
	}
	if os.Getenv("COUNTERFOIL_WRITE") == "1" {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(b, &want); err != nil || len(want) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPopulationTables(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 500)
	p := populated(t, q.Source(), q.Period, evidence.PopulationHolds)
	draws, err := evidence.Sample(p, 2, "s")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []evidence.Table{p.Table(), evidence.SampleTable(p, draws, "s")} {
		var b bytes.Buffer
		if err := evidence.WriteCSV(&b, table); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(b.String(), "\r\n"); lines != len(table.Rows)+1 || len(table.Rows) != len(table.Entries) {
			t.Errorf("%s: %d lines for %d rows", table.Name, lines, len(table.Rows))
		}
		if !strings.Contains(strings.Join(table.Notes, "\n"), hex.EncodeToString(p.Digest[:])) {
			t.Errorf("%s does not name the digest", table.Name)
		}
	}
}
