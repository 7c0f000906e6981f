package token_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
)

// TestPlaces: following a text piece by piece says what a scan of the whole does,
// and a scan of each piece alone does not.
func TestPlaces(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	alone := 0
	for range 2_000 {
		parts := []string{m.sentence(3), m.sentence(3), m.sentence(3)}
		var want, got []token.Place
		text, places := "", token.NewPlaces()
		for _, part := range parts {
			at := 0
			for _, c := range v.Scan(part) {
				places.Text(part[at:c.Start])
				got = append(got, places.Token(c.Token, part[c.Start:c.End]))
				at = c.End
				if got[len(got)-1] != c.Place {
					alone++
				}
			}
			places.Text(part[at:])
			text += part
		}
		for _, c := range v.Scan(text) {
			want = append(want, c.Place)
		}
		if len(want) != len(got) {
			continue // a token came of two pieces
		}
		for i := range want {
			if want[i] != got[i] {
				t.Fatalf("%q: token %d stands in %s, not %s", parts, i, want[i], got[i])
			}
		}
	}
	if alone < 100 {
		t.Errorf("only in %d cases it matters what came before", alone)
	}
}
