package token_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
)

// nearTokens are texts that keep the automaton busy and hold no token.
func nearTokens(size int) map[string]string {
	out := map[string]string{}
	for name, unit := range map[string]string{
		"no last character":  "[EMAIL_ADDRESS_2222AAAA9",
		"wrong check":        "[EMAIL_ADDRESS_2222AAAA99]",
		"labels only":        "PERSON ",
		"labels with gaps":   "P-E-R-S-O-N-",
		"brackets":           "[",
		"escaped brackets":   "\\[",
		"encoded brackets":   "%5B",
		"wide brackets":      "［",
		"fillers":            "A - - - -",
		"opaque prefixes":    "tok_",
		"opaque too short":   "tok_2222aaaa2222aaaa2222aaaa222 ",
		"label inside an id": "US_SSN_US_SSN_",
		"gaps before close":  "[PERSON_2222AAAA99        ",
		"not UTF-8":          "\xe3\x80[P\xff",
		"long labels":        "FI_PERSONAL_IDENTITY_CODE_",
	} {
		out[name] = strings.Repeat(unit, size/len(unit))
	}
	return out
}

// TestScanIsLinear: the work is bounded for each position, and twice the text is
// about twice the work.
func TestScanIsLinear(t *testing.T) {
	v := vocabulary(t)
	short, double := nearTokens(1<<14), nearTokens(1<<15)
	for name := range short {
		for _, loose := range []bool{false, true} {
			once, twice := v.ScanSteps(short[name], loose), v.ScanSteps(double[name], loose)
			if twice > 2*once+2*once/10+1000 {
				t.Errorf("%s: %d steps for a text, %d for twice the text", name, once, twice)
			}
			if most := token.StepsPerStart * len(double[name]); twice > most {
				t.Errorf("%s: %d steps, at most %d are allowed", name, twice, most)
			}
			if perByte := float64(twice) / float64(len(double[name])); perByte > 20 {
				t.Errorf("%s: %.1f steps for a byte", name, perByte)
			}
		}
	}
}

// TestScanIsLinearTwin: the measure sees work that grows with the square, as of
// a scan that begins anew behind every position.
func TestScanIsLinearTwin(t *testing.T) {
	v := vocabulary(t)
	anew := func(text string) (steps int) {
		for i := range text {
			steps += v.ScanSteps(text[i:], false)
		}
		return steps
	}
	unit := "[EMAIL_ADDRESS_2222AAAA9"
	once, twice := anew(strings.Repeat(unit, 20)), anew(strings.Repeat(unit, 40))
	if twice <= 2*once+2*once/10+1000 {
		t.Errorf("%d steps and %d pass for linear", once, twice)
	}
}

// TestStreamIsLinear: single bytes cost no more than the candidate they belong
// to, since nothing that was decided is read again.
func TestStreamIsLinear(t *testing.T) {
	v := vocabulary(t)
	for name, text := range nearTokens(1 << 13) {
		s := v.Stream()
		for i := range len(text) {
			s.Push([]byte{text[i]})
			if held := len(s.Held()); held > 4*token.MaxCandidate {
				t.Fatalf("%s: %d bytes held back", name, held)
			}
		}
	}
}
