package verify_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// A tampering changes a copy of a log, or puts another in its place, in a way that
// must be found. It returns nil where the copy has nothing of the kind.
type tampering struct {
	name string
	do   func(c copying, m *made, rng *rand.Rand) files
}

// anyOf is one of the files.
func anyOf(rng *rand.Rand, f files) string {
	names := slices.Sorted(maps.Keys(f))
	return names[rng.IntN(len(names))]
}

// cloned is a copy whose files may be changed.
func cloned(f files) files {
	out := files{}
	for name, b := range f {
		out[name] = bytes.Clone(b)
	}
	return out
}

// edited is the log with its entries changed, as somebody with the disk would do it:
// all hashes fit again, and nothing is signed anew.
func edited(c copying, m *made, edit func(entries []verify.Entry) []verify.Entry) files {
	other := *m
	other.entries = renumbered(edit(copied(m.entries)))
	if c.name == "bundle" {
		// Only the key could sign that manifest.
		return sealed(m.t, bundleFiles(&other), newSigner(m.t, 66))
	}
	return c.make(&other)
}

var tamperings = []tampering{
	{"bit", func(c copying, m *made, rng *rand.Rand) files {
		f := cloned(c.make(m))
		if c.name == "bundle" {
			f = files{"archive": packed(f)}
		}
		flip(rng, f[anyOf(rng, f)])
		return f
	}},
	{"bit of a file", func(c copying, m *made, rng *rand.Rand) files {
		f := cloned(c.make(m))
		flip(rng, f[anyOf(rng, f)])
		return f
	}},
	{"dropped file", func(c copying, m *made, rng *rand.Rand) files {
		f := cloned(c.make(m))
		delete(f, anyOf(rng, f))
		return f
	}},
	{"cut file", func(c copying, m *made, rng *rand.Rand) files {
		f := cloned(c.make(m))
		name := anyOf(rng, f)
		f[name] = f[name][:rng.IntN(len(f[name]))]
		if c.name == "export" && name == "log" && bytes.Equal(append(f[name], '\n'), c.make(m)[name]) {
			return nil // the last line break may be missing
		}
		return f
	}},
	{"swapped files", func(c copying, m *made, rng *rand.Rand) files {
		f := cloned(c.make(m))
		a, b := anyOf(rng, f), anyOf(rng, f)
		if a == b {
			return nil
		}
		f[a], f[b] = f[b], f[a]
		return f
	}},
	{"swapped pair of entries", func(c copying, m *made, rng *rand.Rand) files {
		return edited(c, m, func(entries []verify.Entry) []verify.Entry {
			i := rng.IntN(len(entries) - 1)
			entries[i], entries[i+1] = entries[i+1], entries[i]
			return entries
		})
	}},
	{"entry changed, all hashes redone", func(c copying, m *made, rng *rand.Rand) files {
		return edited(c, m, func(entries []verify.Entry) []verify.Entry {
			flip(rng, entries[rng.IntN(len(entries))].Leaf)
			return entries
		})
	}},
	{"deleted tail", func(c copying, m *made, rng *rand.Rand) files {
		return edited(c, m, func(entries []verify.Entry) []verify.Entry { return entries[:rng.IntN(len(entries))] })
	}},
	{"old copy", func(c copying, m *made, rng *rand.Rand) files {
		old := *m
		batch := rng.IntN(len(m.anchors) - 1)
		old.checkpoints, old.entries = m.checkpoints[:batch+1], m.entries[:m.anchors[batch].Size]
		return c.make(&old)
	}},
	{"forged checkpoint", func(c copying, m *made, rng *rand.Rand) files {
		forger := *m
		forger.signer = newSigner(m.t, byte(2+rng.IntN(200)))
		root, err := m.frontier.Root()
		if err != nil {
			m.t.Fatal(err)
		}
		forger.checkpoints = [][]byte{forger.sign(m.frontier.Size, root)}
		return c.make(&forger)
	}},
	// Whoever has the key signs another history: a head that was kept shows it.
	{"second history with the key", func(c copying, m *made, rng *rand.Rand) files {
		other, _ := rewritten(m, rng)
		return c.make(other)
	}},
	{"line of the manifest", func(c copying, m *made, rng *rand.Rand) files {
		if c.name != "bundle" {
			return nil
		}
		f := cloned(c.make(m))
		lines := strings.SplitAfter(string(f["manifest"]), "\n")
		at := 2 + rng.IntN(len(f)-1) // below title and origin
		line := []byte(lines[at])
		for i := rng.IntN(64); ; i = rng.IntN(64) {
			if with := "0123456789abcdef"[rng.IntN(16)]; line[i] != with {
				line[i] = with
				break
			}
		}
		lines[at] = string(line)
		f["manifest"] = []byte(strings.Join(lines, ""))
		return f
	}},
	{"added file", func(c copying, m *made, _ *rand.Rand) files {
		if c.name != "bundle" {
			return nil // a folder may hold what nobody reads
		}
		f := cloned(c.make(m))
		f["evidence/more.csv"] = []byte("invented\n")
		return f
	}},
}

// kept is what an auditor has beside a copy: the newest head, from another place.
func kept(m *made) verify.Options {
	return verify.Options{VKeys: []string{m.signer.VerifierKey()}, Anchors: m.anchors[len(m.anchors)-1:], RequireSigned: true}
}

func TestInvariant11_TamperedCopiesAreFound(t *testing.T) {
	const perLog = 60
	found := map[string]int{}
	var m *made
	changes := 0
	for i := 0; changes < long(2000); i++ {
		seed := uint64(i / perLog)
		if i%perLog == 0 {
			m = newLog(t, 2000+seed).grow(10 + int(seed%10))
			if seed%5 == 4 {
				for len(m.entries) < audit.TileWidth+20 {
					m.grow(1)
				}
			}
		}
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		c, tampering := copies[i%len(copies)], tamperings[i/len(copies)%len(tamperings)]
		f := tampering.do(c, m, rng)
		if f == nil {
			continue
		}
		var fault *verify.Fault
		if _, err := c.verify(t.Context(), f, kept(m)); !errors.As(err, &fault) {
			t.Fatalf("tampering %d, %s of %s of log %d: %v", i, tampering.name, c.name, seed, err)
		}
		found[c.name+": "+fault.Rule]++
		changes++
	}
	t.Log(found)
}

// Every bit of a bundle counts, and every byte of a folder of tiles.
func TestInvariant11_EveryByteOfACopy(t *testing.T) {
	m := newLog(t, 5).grow(2)
	for _, c := range copies {
		f := c.make(m)
		if c.name == "bundle" {
			f = files{"archive": packed(f)}
		}
		for name, b := range f {
			for at := 0; at < len(b); at += step() {
				b[at] ^= 1 << (at % 8)
				var fault *verify.Fault
				if _, err := c.verify(t.Context(), f, kept(m)); !errors.As(err, &fault) {
					t.Errorf("%s: byte %d of %s: %v", c.name, at, name, err)
				}
				b[at] ^= 1 << (at % 8)
			}
		}
		if _, err := c.verify(t.Context(), f, kept(m)); err != nil {
			t.Errorf("%s: put back: %v", c.name, err)
		}
	}
}
