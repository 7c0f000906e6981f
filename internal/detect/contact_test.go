package detect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nyaruka/phonenumbers"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// TestPhonesOfEveryRegion writes the sample numbers of every country in the ways of the library. A number with a country
// code needs nothing else; in its national form it needs a word that says what it is, unless it is as short as a
// house number.
func TestPhonesOfEveryRegion(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: contacts})
	for _, c := range []struct {
		name   string
		format phonenumbers.PhoneNumberFormat
		text   string
		least  float64
	}{
		{"international", phonenumbers.INTERNATIONAL, "Anna (%s) was there", 1},
		{"E.164", phonenumbers.E164, "%s", 1},
		{"RFC 3966", phonenumbers.RFC3966, "<a href=%q>", 1},
		{"national, named", phonenumbers.NATIONAL, "My phone number is %s.", .93},
		{"national, asked for", phonenumbers.NATIONAL, "call me at %s please", .92},
		{"national, alone", phonenumbers.NATIONAL, "Anna (%s) was there", .45},
	} {
		all, found := 0, 0
		for region := range phonenumbers.GetSupportedRegions() {
			for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
				sample := phonenumbers.GetExampleNumberForType(region, kind)
				if sample == nil {
					continue
				}
				text := fmt.Sprintf(c.text, phonenumbers.Format(sample, c.format))
				all++
				if slices.ContainsFunc(find(t, d, text), func(s detect.Span) bool { return s.Entity == detect.PhoneNumber }) {
					found++
				}
			}
		}
		got := float64(found) / float64(max(all, 1))
		t.Logf("%-20s %.3f of %d", c.name, got, all)
		if all < 400 || got < c.least {
			t.Errorf("%s: %.3f of %d, at least %.2f", c.name, got, all, c.least)
		}
	}
}

// TestContactShapes are the kinds in which values of this family stand in texts, and what looks like them.
func TestContactShapes(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: contacts})
	one := func(entity, value string) []found { return []found{{entity, value}} }
	for text, want := range map[string][]found{
		// Scripts without spaces run right up to an address.
		"请联系zhang.wei@mail.example。谢谢":              one(detect.EmailAddress, "zhang.wei@mail.example"),
		"メールはtaro@mail.exampleです":                   one(detect.EmailAddress, "taro@mail.example"),
		"пишите на почта@пример.рф сегодня":         one(detect.EmailAddress, "почта@пример.рф"),
		"用户@例子.广告":                                  one(detect.EmailAddress, "用户@例子.广告"),
		"josé@münchen.example":                      one(detect.EmailAddress, "josé@münchen.example"),
		"?to=jane.roe%40mail.example&cc=":           one(detect.EmailAddress, "jane.roe%40mail.example"),
		"mailto:Jane%20%3Cjane.roe@mail.example%3E": one(detect.EmailAddress, "jane.roe@mail.example"),
		"printf(\"%-8s%40s.go\")":                   nil,
		"git clone git@host.example:team/repo.git":  nil,
		"sent by git@host.example yesterday":        one(detect.EmailAddress, "git@host.example"),
		"user@1000.service":                         nil,
		// What lost its space.
		"jane.roe@mail.com536-22-8471":     {{detect.EmailAddress, "jane.roe@mail.com"}, {detect.USSSN, "536-22-8471"}},
		"jane.roe@mail.com415-555-0132":    {{detect.EmailAddress, "jane.roe@mail.com"}, {detect.PhoneNumber, "415-555-0132"}},
		"call me at415-555-0132":           one(detect.PhoneNumber, "415-555-0132"),
		"part at123-555-0132":              nil,
		"serial ABC415-555-0132":           nil,
		"SSN 987-65-4321, as it is called": one(detect.USSSN, "987-65-4321"),
		"Tel: 030 123456 / 0171 2345678":   {{detect.PhoneNumber, "030 123456"}, {detect.PhoneNumber, "0171 2345678"}},
		"Anna (415)5550132":                one(detect.PhoneNumber, "(415)5550132"),
		"8 (495) 123-45-67":                one(detect.PhoneNumber, "8 (495) 123-45-67"),
		"f(415)5550132":                    nil,
		"no 987-65-4321 is none":           nil,
		"National ID 536-22-8471 of":       one("CUSTOM_ID", "536-22-8471"),
		"ID-SSN: 536-22-8471":              one(detect.USSSN, "536-22-8471"),
		"order 536-22-8471":                nil,
		"SSN 000-12-3456":                  nil,
		// Cards and what is numbered like them.
		"122000000000003":                 one(detect.CreditCard, "122000000000003"),
		"100001234567897":                 nil,
		"IMEI 490154203237518":            nil,
		"IMEI: 35-209900-176148-1":        nil,
		"tracking 4111111111111111":       nil,
		"card 4111-1111-1111-1111, 12/27": one(detect.CreditCard, "4111-1111-1111-1111"),
		"pan=4111111111111111;cvv=123":    one(detect.CreditCard, "4111111111111111"),
		"4111  1111  1111  1111":          one(detect.CreditCard, "4111  1111  1111  1111"),
		"4111 - 1111 - 1111 - 1111":       one(detect.CreditCard, "4111 - 1111 - 1111 - 1111"),
		"4111 - 1111  1111 - 1111":        nil,
		"4111 1111 1111 1112":             nil,
		"1700000000000 1700000000001":     nil,
		// Accounts.
		"iban: gb29nwbk60161331926819":             one(detect.IBANCode, "gb29nwbk60161331926819"),
		"GB29-NWBK-6016-1331-9268-19.":             one(detect.IBANCode, "GB29-NWBK-6016-1331-9268-19"),
		"IBANDE89370400440532013000":               one(detect.IBANCode, "DE89370400440532013000"),
		"DE 89 3704 0044 0532 0130 00":             one(detect.IBANCode, "DE 89 3704 0044 0532 0130 00"),
		"DE89 3704 0044 0532 0130 01":              nil,
		"DE89 3704 0044 0532 0130 00 BIC COBADEFF": one(detect.IBANCode, "DE89 3704 0044 0532 0130 00"),
		// Addresses of machines.
		"src=:: dst=::1":                  {{detect.IPAddress, "::"}, {detect.IPAddress, "::1"}},
		"main :: IO ()":                   nil,
		"host :: String":                  nil,
		"fe80::1ff:fe23:4567:890a%eth0":   one(detect.IPAddress, "fe80::1ff:fe23:4567:890a%eth0"),
		"::ffff:192.0.2.128":              one(detect.IPAddress, "::ffff:192.0.2.128"),
		"2001:db8::/32 is for examples":   one(detect.IPAddress, "2001:db8::/32"),
		"[2001:db8::7]:443":               one(detect.IPAddress, "2001:db8::7"),
		"192.0.2.0/24 and 192.0.2.1:8080": {{detect.IPAddress, "192.0.2.0/24"}, {detect.IPAddress, "192.0.2.1"}},
		"Chrome/120.0.0.0 Safari":         nil,
		"release 1.2.3.4":                 nil,
		"1.1.1.1 answers":                 one(detect.IPAddress, "1.1.1.1"),
		"1.1.1.2 is a paragraph":          nil,
	} {
		if diff := cmp.Diff(want, values(text, find(t, d, text))); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// contacts are the entities of the contact family, so that what others find is not in the way.
var contacts = []string{
	detect.EmailAddress, detect.PhoneNumber, detect.CreditCard, detect.IBANCode, detect.USSSN, detect.IPAddress,
	"CUSTOM_ID",
}
