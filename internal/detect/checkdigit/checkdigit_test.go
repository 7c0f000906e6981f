package checkdigit_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

func TestExamples(t *testing.T) {
	for _, s := range schemes {
		for _, n := range s.good {
			if !s.check(n) {
				t.Errorf("%s refuses %q", s.name, n)
			}
		}
		for _, n := range s.bad {
			if s.check(n) {
				t.Errorf("%s takes %q", s.name, n)
			}
		}
		if len(s.good) == 0 || len(s.bad) == 0 {
			t.Errorf("%s has no examples", s.name)
		}
	}
}

// TestOneWrongDigit changes one digit of a valid number, at every place and to every other digit.
func TestOneWrongDigit(t *testing.T) {
	for _, s := range schemes {
		for _, n := range s.good {
			if missed := missedDigits(s.check, n); s.catches && len(missed) > 0 {
				t.Errorf("%s takes for %s also %v", s.name, n, missed)
			}
		}
	}
}

// TestOneWrongDigit_TwinSeesWeakSum shows that the test above goes red for a sum that forgets its weights.
func TestOneWrongDigit_TwinSeesWeakSum(t *testing.T) {
	weak := func(digits string) bool {
		sum := 0
		for _, c := range digits {
			sum += 2 * int(c-'0')
		}
		return sum%10 == 0
	}
	if !weak("1234567893"[:9] + "0") {
		t.Fatal("the example does not pass the weak sum")
	}
	if missed := missedDigits(weak, "1234567890"); len(missed) == 0 {
		t.Error("a sum without weights catches every wrong digit")
	}
}

// missedDigits are the numbers with one digit changed that pass.
func missedDigits(check func(string) bool, number string) []string {
	var missed []string
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			continue
		}
		for d := byte('0'); d <= '9'; d++ {
			changed := number[:i] + string(rune(d)) + number[i+1:]
			if changed != number && check(changed) {
				missed = append(missed, changed)
			}
		}
	}
	return missed
}

// TestRandomNumbers changes one digit of random valid numbers: those that random digits around an example make.
func TestRandomNumbers(t *testing.T) {
	for _, s := range schemes {
		if !s.catches {
			continue
		}
		t.Run(s.name, rapid.MakeCheck(func(t *rapid.T) {
			number := []byte(rapid.SampledFrom(s.good).Draw(t, "example"))
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				i := rapid.IntRange(0, len(number)-1).Draw(t, "place")
				if number[i] >= '0' && number[i] <= '9' {
					number[i] = byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
				}
			}
			if n, ok := repaired(s.check, string(number)); ok {
				if missed := missedDigits(s.check, n); len(missed) > 0 {
					t.Fatalf("takes for %s also %v", n, missed)
				}
			}
		}))
	}
}

// repaired is the number with one digit changed so that it is valid, where there is one.
func repaired(check func(string) bool, number string) (string, bool) {
	if check(number) {
		return number, true
	}
	if found := missedDigits(check, number); len(found) > 0 {
		return found[0], true
	}
	return "", false
}

// TestVerhoeffSwaps: every swap of neighbours is caught by the scheme that was made for it.
func TestVerhoeffSwaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{3,14}`).Draw(t, "body")
		number, ok := completed(body)
		if !ok {
			t.Fatalf("no check digit for %s", body)
		}
		for i := 1; i < len(number); i++ {
			swapped := number[:i-1] + string(number[i]) + string(number[i-1]) + number[i+1:]
			if swapped != number && checkdigit.Verhoeff(swapped) {
				t.Fatalf("takes %s for %s", swapped, number)
			}
		}
	})
}

// completed is digits with their check digit.
func completed(body string) (string, bool) {
	for d := '0'; d <= '9'; d++ {
		if number := body + string(d); checkdigit.Verhoeff(number) {
			return number, true
		}
	}
	return "", false
}

// conformance are the functions that stand for Presidio's validators.
var conformance = map[string]func(string) bool{
	"DE_HEALTH_INSURANCE": checkdigit.GermanHealthInsurance,
	"DE_ID_CARD":          checkdigit.GermanIDCard,
	"DE_PASSPORT":         checkdigit.GermanPassport,
	"DE_LANR":             checkdigit.GermanPhysician,
	"DE_BSNR":             checkdigit.GermanPracticeForm,
	"DE_SOCIAL_SECURITY":  checkdigit.GermanSocialSecurity,
	"DE_TAX_ID":           checkdigit.GermanTaxID,
	"DE_VAT_ID":           checkdigit.GermanVATID,
	"IN_AADHAAR":          checkdigit.IndianAadhaar,
	"PL_PESEL":            checkdigit.PolishPESEL,
	"ZA_ID_NUMBER":        checkdigit.SouthAfricanID,
}

// TestConformanceValidators runs the cases of Presidio's own validator tests. Cases without a verdict, and those of parts of a number, are
// passed over.
func TestConformanceValidators(t *testing.T) {
	f, err := os.Open("../../../../shared/data/pii/presidio_validators.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("labelled data not found: this test needs the folder shared/data beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ran := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r struct {
			Entity, Value, Source string
			Valid                 *bool
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		check, ok := conformance[r.Entity]
		if !ok || r.Valid == nil || strings.Contains(r.Source, "birth_date") {
			continue
		}
		ran++
		bare := strings.NewReplacer(" ", "", "-", "", ".", "").Replace(strings.ToUpper(r.Value))
		if r.Entity == "DE_VAT_ID" {
			bare = strings.TrimPrefix(bare, "DE")
		}
		if got := check(bare); got != *r.Valid {
			t.Errorf("%s %s: %v, want %v (%s)", r.Entity, r.Value, got, *r.Valid, r.Source)
		}
	}
	if ran < 20 {
		t.Errorf("only %d cases", ran)
	}
}

func TestNoAllocation(t *testing.T) {
	for _, s := range schemes {
		for _, n := range s.good {
			if got := testing.AllocsPerRun(10, func() { s.check(n) }); got > 0 {
				t.Errorf("%s allocates %v times", s.name, got)
			}
		}
	}
}

func FuzzAll(f *testing.F) {
	seeds := 0
	for _, s := range schemes {
		for _, n := range append(s.good, s.bad...) {
			f.Add(n)
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range schemes {
			if s.check(text) && s.check(text+"\x00") {
				t.Errorf("%s takes a NUL behind %q", s.name, text)
			}
		}
	})
}
