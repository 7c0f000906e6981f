package vault

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func lineOf(t *testing.T, l JournalLine) JournalLine {
	t.Helper()
	again, err := ParseJournalLine(l.Marshal())
	if err != nil {
		t.Fatalf("%s: %v", l.Marshal(), err)
	}
	return again
}

func buries(erasure, key string, rekeyed, swept bool, tokens ...string) JournalLine {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	z := JournalTombstone{KeyID: key, At: at, WrapVersion: 1, Rekeyed: rekeyed, Swept: swept}
	for _, token := range tokens {
		z.Tokens = append(z.Tokens, [2]string{"s", token})
	}
	return JournalLine{Erased: &JournalErasure{ID: erasure, Reference: "R", Regime: "gdpr", State: ErasureCompleted, ErasedAt: at, Buried: []JournalTombstone{z}}}
}

func moves(change, token, from, to string, replayed bool) JournalLine {
	return JournalLine{Moving: &JournalMove{Change: change, Replayed: replayed, Tokens: []JournalStep{{"s", token, from, to}}}}
}

// TestLineage: which erasure took a value that stands under k1 in a copy.
func TestLineage(t *testing.T) {
	moved := func(change string) JournalLine { return JournalLine{Moved: change} }
	for name, tt := range map[string]struct {
		lines []JournalLine
		now   string
		want  bool
	}{
		"all under the key":                   {[]JournalLine{buries("e", "k1", false, false)}, "k1", true},
		"another key":                         {[]JournalLine{buries("e", "k2", false, false)}, "k1", false},
		"named":                               {[]JournalLine{buries("e", "k1", true, false, "v")}, "k1", true},
		"named, wherever it is":               {[]JournalLine{buries("e", "k9", true, false, "v")}, "k1", true},
		"a neighbour of one that is named":    {[]JournalLine{buries("e", "k1", true, false, "w")}, "k1", false},
		"nobody under the key":                {[]JournalLine{buries("e", "k1", true, false)}, "k1", false},
		"swept before it was journaled":       {[]JournalLine{buries("e", "k1", true, true)}, "k1", true},
		"swept, and it had left before":       {[]JournalLine{moves("c", "v", "k1", "k2", false), moved("c"), buries("e", "k1", true, true)}, "k1", false},
		"moved, and erased there":             {[]JournalLine{moves("c", "v", "k1", "k2", false), moved("c"), buries("f", "k1", true, false, "w"), buries("e", "k2", false, false)}, "k1", true},
		"moved twice, and erased there":       {[]JournalLine{moves("c", "v", "k1", "k2", false), moves("d", "v", "k2", "k3", false), moved("c"), moved("d"), buries("e", "k3", false, false)}, "k1", true},
		"moved away before":                   {[]JournalLine{moves("c", "v", "k1", "k2", false), moved("c"), buries("e", "k1", false, false)}, "k1", false},
		"perhaps moved away before":           {[]JournalLine{moves("c", "v", "k1", "k2", false), buries("e", "k1", false, false)}, "k1", true},
		"moved away, as the copy shows":       {[]JournalLine{moves("c", "v", "k1", "k2", false), buries("e", "k1", false, false)}, "k2", false},
		"moved by a recovery only":            {[]JournalLine{moves("c", "v", "k1", "k2", true), moved("c"), buries("e", "k1", false, false)}, "k2", true},
		"moved by a recovery, erased further": {[]JournalLine{moves("c", "v", "k1", "k2", false), moved("c"), moves("r", "v", "k1", "k7", true), moved("r"), buries("e", "k2", false, false)}, "k7", true},
		"another's move":                      {[]JournalLine{moves("c", "w", "k1", "k2", false), moved("c"), buries("e", "k2", false, false)}, "k1", false},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []JournalLine
			for _, l := range tt.lines {
				lines = append(lines, lineOf(t, l))
			}
			l, err := readLineage(lines)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.goes(l.byID["e"], MappingRef{"s", "v"}, tt.now); got != tt.want {
				t.Errorf("it goes: %t, want %t", got, tt.want)
			}
		})
	}
}

// TestTwinWithoutMoves: an erasure that names only the last key of a value does not
// find it in a copy without the lines of the moves.
func TestTwinWithoutMoves(t *testing.T) {
	lines := []JournalLine{buries("f", "k1", true, false, "w"), buries("e", "k2", false, false)}
	l, err := readLineage(lines)
	if err != nil {
		t.Fatal(err)
	}
	if l.goes(l.byID["e"], MappingRef{"s", "v"}, "k1") {
		t.Error("it is found: the moves are no guard")
	}
}

// TestErasureLines: however much an erasure destroyed, its lines are short, and
// together they say all of it.
func TestErasureLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var buried []Tombstone
		all := make(map[MappingRef]bool)
		for n := range rapid.SampledFrom([]int{0, 1, 7, 1998, 1999, 2000, 2001, 4100}).Draw(t, "keys") {
			z := Tombstone{KeyID: fmt.Sprint("k", n), ErasureID: "e", At: time.Unix(1, 0).UTC(), WrapVersion: 1}
			if n < 3 {
				z.Rekeyed = true
				for i := range rapid.SampledFrom([]int{0, 1, 1998, 1999, 2000, 2001, 4100}).Draw(t, "tokens") {
					ref := MappingRef{fmt.Sprint("s", n), fmt.Sprint("t", i)}
					z.Tokens, all[ref] = append(z.Tokens, ref), true
				}
			}
			buried = append(buried, z)
		}
		lines := erasureLines(Erasure{ID: "e", State: ErasureCompleted, ErasedAt: time.Unix(1, 0).UTC()}, buried)
		for _, l := range lines {
			if size := len(l.Marshal()); size > 400<<10 {
				t.Fatalf("a line of %d bytes", size)
			}
		}
		l, err := readLineage(lines)
		if err != nil || len(l.erasures) != 1 || len(l.erasures[0].keys) != len(buried) || len(l.erasures[0].went) != len(all) {
			t.Fatalf("%d lines: %+v, %v", len(lines), len(l.erasures), err)
		}
	})
}

// FuzzParseJournalLine: what is read is printed as it was.
func FuzzParseJournalLine(f *testing.F) {
	seeds := []JournalLine{buries("e", "k1", true, false, "v"), moves("c", "v", "k1", "k2", true), {Moved: "c"}, {Recovering: &JournalRecovery{Size: 3, From: 2}}}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, l := range seeds {
		f.Add(l.Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := ParseJournalLine(b); err == nil && string(l.Marshal()) != string(b) {
			t.Errorf("%q is printed as %q", b, l.Marshal())
		}
	})
}
