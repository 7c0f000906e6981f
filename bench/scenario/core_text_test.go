package scenario

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// TestTextsHoldWhatTheyAreGiven: detection finds the values of a text and nothing else, so
// that the floor writes as many rows as the service.
func TestTextsHoldWhatTheyAreGiven(t *testing.T) {
	d, err := detect.New(detect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for number := range int64(400) {
		var b strings.Builder
		want := message(&b, 3_000_000_000+number*7919, []int{longMessage, shortMessage}[number%2], int(number%6))
		text := b.String()
		if seen[text] && number%6 != 0 {
			t.Errorf("text %d has come before", number)
		}
		seen[text] = true
		found, err := d.Find(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range found {
			got = append(got, text[s.Start:s.End])
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("text %d: found %q, want %q", number, got, want)
		}
	}
}
