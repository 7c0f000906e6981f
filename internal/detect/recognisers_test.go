package detect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// only is a test of one entity: «» stands around each value that is to be found, and around nothing else. A ¦ is
// taken out first: it keeps samples of keys from looking like keys to those who scan this repository.
func only(t *testing.T, entity string, texts ...string) {
	t.Helper()
	d := newDetector(t, detect.Options{Entities: []string{entity}})
	for _, marked := range texts {
		marked = strings.ReplaceAll(marked, "¦", "")
		text := strings.NewReplacer("«", "", "»", "").Replace(marked)
		var b strings.Builder
		at := 0
		for _, s := range find(t, d, text) {
			b.WriteString(text[at:s.Start] + "«" + text[s.Start:s.End] + "»")
			at = s.End
		}
		b.WriteString(text[at:])
		if diff := cmp.Diff(marked, b.String()); diff != "" {
			t.Errorf("%s: %s", entity, diff)
		}
	}
}

func TestEmail(t *testing.T) {
	only(t, detect.EmailAddress,
		"«a@b.co»", "<«ada.lovelace+news@mail.example.co.uk»>,", "mailto:«ada@example.com»?subject=x", "email=«ada@example.com»&x=1",
		"'«ada@example.com»'", "«o'brien@example.ie»", "see «ada@example.com».", "«用户@例子.广告»", "«ada@bücher.example»", "«x@y.xn--p1ai»",
		"(«a_b-c%d@e-f.museum»)", "«ada@example.com», «bob@example.com»;", "cc:«ada@example.com»\n", "--«ada@example.com»--",
		"@ada", "ada@", "ada@example", "ada@example.", "@example.com", "ada@.com", "ada@example..com x", "a@b.c", "icon@2x.png", "app@1.2.3",
		"left-pad@1.3.0", "ada @example.com", "ada@ example.com", "ada.@example.com", "user@host:22", "@media.screen", "a@-b.com x",
		strings.Repeat("a", 300)+"@example.com",
	)
}

func TestPhone(t *testing.T) {
	only(t, detect.PhoneNumber,
		// By themselves.
		"«(415) 555-0132»", "«415-555-0132»", "«415.555.0132»", "«1-800-356-9377»", "«+1 415 555 0132»", "«+44 20 7946 0958»", "«+44 (0)20 7946 0958»",
		"«+4915112345678»", "(«415-555-0132»)", "«(415) 555-0132 ext. 12»", "«415-555-0132x12»", "a,«415-555-0132»,b", "«+33 1 42 68 53 00», «+39 02 3661 8300»",
		"42 «415-555-0132» 7", "«01.84.17.61.18»", "tel:«+1-415-555-0132»", "(«+49 171 1234567»)", "«(+49) 171 1234567»", "«415-555-0132»-Office", "«079 2718 1155»", "«(11) 4706-6184»", "«06 12 34 56 78»",
		// By a word near.
		"phone: «467 3395»", "Tel. «030 1234567»", "call me at «78 651 450»", "téléphone «06 12 34 56 78»", "Handy: «0171-1234567»", "mobile_number = «5551234567»",
		"phoneNumber: \"«4155550132»\"", "SMS «081235994171»", "fax «0171/1234567»", "Desk: «555 1234»", "«21 253 109 8211»-Office", "reach me on «0044 20 7946 0958»",
		// Not without one, not against one, not in pieces.
		"467 3395", "78 651 450", "5551234567", "0044 20 7946 0958", "0069 0307 0300", "telephony 467 3395", "recall 467 3395", "iPhone 4673395",
		"order 467-3395", "invoice 0171 1234567", "ISBN 978-3-16-148410-0", "ISBN 3-16-148410-0", "2023-11-21", "21.11.2023 10:30", "call on 2023-11-21",
		"11/21/2023", "10:30:00", "1999-2003", "phone 1999-2003", "v1.12.3", "1.2.3.4", "12345-6789", "$1,234,567.89", "call $4155550132", "€ 467 3395",
		"110bcd25-a55d-453a-8046-1297901ea002", "550e8400-e29b-41d4-a716-446655440000", "1699999999", "1667470478 089758 089795 0.237115",
		"3.14159265358979", "4111 1111 1111 1111", "6f 20 69 73 call 20 61 70 6e 31", "+1+1+1", "x+4155550132", "+13:00", "0.5551234567", "555-123-4567-89",
		"a1b2c3d4e5f60718293a", "d41d8cd98f00b204e9800998ecf8427e", "tabId:482913375", "call 0000 0000", "(2006)-(01)-(02)", "(2006) 4706-6184", "078-05-1120", "0.123 456 789", "(2019) 12-34", "12,345,678", "call 5 times",
		"-259.625 191.0625", "17031 2202 Rissik Street, our office", "200 OK 415 ms 555 0132x", "call 1234567890123456",
	)
}

func TestCard(t *testing.T) {
	only(t, detect.CreditCard,
		"«4111111111111111»", "«4111 1111 1111 1111»", "«4111-1111-1111-1111»", "«378282246310005»", "«3782 822463 10005»", "«5555555555554444»",
		"«6011111111111117»", "«3530111333300000»", "«30569309025904»", "«3056 930902 5904»", "«2223003122003222»", "«6200000000000005»",
		"«4111111111111111», «5555555555554444»", "«4111111111111111» «4111 1111 1111 1111»", "7,«4111111111111111»,12/26", "«4111 1111 1111 1111» 12/26 123",
		"card «4222222222222»", "visa «4000000000000000006»", "card no. «6304000000000000»", "\"card_number\":\"«4222222222222»\"", "(«4111111111111111»)",
		"4111111111111112", "4111 1111 1111 1112", "4222222222222", "4000000000000000006", "411111111111111", "0.4111111111111111", "4111111111111111.5",
		"a4111111111111111", "4111111111111111b", "-4111111111111111", "4111 1111 11111111", "4111.1111.1111.1111", "4111-1111-1111-1111-1111", "order 4111111111111111",
		"4111 1111 1111 1111 1111 1111", "IMEI 490154203237518", "490154203237518", "9780306406157", "f81d4111-1111-1111-1111-00a0c91e6bf6", "4111/1111/1111/1111",
		"7946 4111 1111 1111 1111 2010",
	)
}

func TestIBAN(t *testing.T) {
	only(t, detect.IBANCode,
		"«DE89370400440532013000»", "«DE89 3704 0044 0532 0130 00».", "«de89 3704 0044 0532 0130 00»", "«GB29-NWBK-6016-1331-9268-19»", "IBAN:«NO9386011117947»",
		"«DE89370400440532013000»,«FR1420041010050500013M02606»", "iban«DE89370400440532013000»",
		"DE89370400440532013001", "DE8937040044053201300", "DE893704004405320130000", "ZZ89370400440532013000", "De89370400440532013000", "XDE89370400440532013000",
		"DE89/3704/0044/0532/0130/00", "DE89  3704  0044  0532  0130  00", "GB29 1WBK 6016 1331 9268 19", "DE89",
	)
}

func TestSSN(t *testing.T) {
	only(t, detect.USSSN,
		"«536-22-8471»", "SSN: «536 22 8471»", "ssn=«536228471»", "SSN«536-22-8471»", "social security number is «536-22-8471»", "(«899-22-8471»)",
		"ssn «53622-8471»", "his «536\u201122\u20118471»", "7 «536-22-8471» 8",
		"000-22-8471", "666-22-8471", "900-22-8471", "987-65-4321", "536-00-8471", "536-22-0000", "078-05-1120", "219-09-9999", "333-33-3333",
		"536 22 8471", "536228471", "536-22-84712", "1536-22-8471", "536-22-8471-1", "a536-22-8471", "-536-22-8471", "536.22.8471", "536-22.8471",
		"12 536 22 8471 99", "order 536-22-8471", "2023-11-21",
	)
}

func TestIP(t *testing.T) {
	only(t, detect.IPAddress,
		"«203.0.113.7»", "«203.0.113.7»:8080", "«203.0.113.0/24»", "http://«203.0.113.7»/x", "«10.0.0.1»-«10.0.0.255»", "«203.0.113.7».", "[«203.0.113.7»]",
		"host 1.2.3.4.5", "ip «1.2.3.4»", "«2001:db8::1»", "[«2001:db8::1»]:443", "«fe80::1%eth0/64»", "«::ffff:192.0.2.1»", "«2001:db8::/32».",
		"server «::1»", "ip:«2001:db8::1»", "«2001:0db8:85a3:0000:0000:8a2e:0370:7334»",
		"1.2.3.4", "v203.0.113.7", "Chrome/120.0.0.0", "version 203.0.113.7", "256.1.1.1", "203.0.113", "203.0.113.07", "1.3.6.1.4.1.311", "a203.0.113.7",
		"203.0.113.7b", "std::cout", "a::b", "dead::beef", "x[::1]", "x[::2]", "10:30:00", "00:1a:2b:3c:4d:5e", "00:11:22:33:44:55:66:77", "1:2", ":::", "::",
		"2001::25de::cade", "12345::1", "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89",
	)
}

const pemBody = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDAC4AWkdwKYSd8\nKs14IReLcYgADhoXk56ZzXI="

func TestPrivateKey(t *testing.T) {
	block := func(label string) string {
		return "-----BEGIN " + label + "-----\n" + pemBody + "\n-----END " + label + "-----"
	}
	only(t, detect.PrivateKey,
		"«"+block("PRIVATE KEY")+"»", "key: |\n  «"+block("RSA PRIVATE KEY")+"»\n", "«"+block("OPENSSH PRIVATE KEY")+"»\n«"+block("EC PRIVATE KEY")+"»",
		"«"+block("PGP PRIVATE KEY BLOCK")+"»", "{\"k\":\"«"+strings.ReplaceAll(block("ENCRYPTED PRIVATE KEY"), "\n", `\n`)+"»\"}",
		"«-----BEGIN PRIVATE KEY-----\n"+pemBody+"»", "«-----BEGIN PRIVATE KEY-----\n"+pemBody+"»\n\n-----BEGIN CERTIFICATE-----\n"+pemBody+"\n-----END CERTIFICATE-----",
		"«AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE»",
		block("PUBLIC KEY"), block("CERTIFICATE"), "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
		"starts with -----BEGIN RSA PRIVATE KEY----- and ends with -----END RSA PRIVATE KEY-----", "-----BEGIN",
	)
}

func TestAPIKey(t *testing.T) {
	const jwt = "eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	const storage = "Eby8¦vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	only(t, detect.APIKey,
		"aws «AK¦IAQ3EGTQ5X7RSLV6NT».", "«gh¦p_16C7e42F292c6912E7710c838347Ae178B4a»", "token=«gl¦pat-Zx9Yw8Vu7Ts6Rq5Po4Nm»", "«sk¦_live_4eC39HqLyjWDarjtT1zdp7dc»",
		"Bearer «"+jwt+"»", "«"+strings.TrimSuffix(jwt, "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U")+"»", "AccountName=x;AccountKey=«"+storage+"»;EndpointSuffix=y",
		"aws_secret_access_key = \"«wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKx»\"", "secretAccessKey: '«wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKx»'",
		"(«np¦m_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5»)", "«xo¦xb-263594206564-FGqddMF8t08v8N7Oq4i57vs1»\\n",
		"AK¦IAIOSFODNN7EXAMPLE", "AK¦IAAAAAAAAAAAAAAAAA", "ak¦iaq3egtq5x7rslv6nt", "xAK¦IAQ3EGTQ5X7RSLV6NT", "AK¦IAQ3EGTQ5X7RSLV6NTA", "gh¦p_short", "eyJhbGciOiJIUzI1NiJ9",
		"eyJhbGciOiJIUzI1NiJ9.x.y", "sk¦_live_", "sk-learn is a library", "video_box.ico-7a388b69018576d24b59331fd60aab0c.png", "accountkey 5", "secret_access_key",
	)
}

// value makes a value by a rule of the secret table.
func value(r *rapid.T, parts []detect.SecretPart) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Literal)
		if p.Literal == "" {
			n := rapid.IntRange(p.Min, min(p.Max, p.Min+20)).Draw(r, "length")
			for i := range n {
				// A stride through the alphabet has the entropy that a real key has.
				b.WriteByte(p.Alphabet[(i*7+rapid.IntRange(0, 6).Draw(r, "step"))%len(p.Alphabet)])
			}
		}
	}
	return b.String()
}

// Every rule of the table finds what is made by it, and nothing when its literal is broken.
func TestEverySecretRule(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: []string{detect.APIKey}})
	specs := detect.SecretSpecs()
	if len(specs) < 100 {
		t.Fatalf("only %d rules", len(specs))
	}
	for _, spec := range specs {
		t.Run(spec.ID+" "+spec.Keyword, func(t *testing.T) {
			hits, all := 0, 0
			rapid.Check(t, func(r *rapid.T) {
				if all >= 20 {
					return // enough for one rule; there are many
				}
				body := value(r, spec.Parts)
				if spec.Holds != "" {
					body = body[:20] + spec.Holds + body[20+len(spec.Holds):]
				}
				body = strings.TrimRight(body[:len(body)-len(spec.Ends)]+spec.Ends, ".")
				secret, text := value(r, spec.Behind)+spec.Keyword+body, ""
				if spec.Assign {
					secret = body
					text = fmt.Sprintf("%s_key = %q;", spec.Keyword, secret)
				} else {
					text = fmt.Sprintf("key: %q;", secret)
				}
				all++
				if spans := find(t, d, text); len(spans) == 1 && text[spans[0].Start:spans[0].End] == secret {
					hits++
				}
			})
			// The entropy bound refuses some of what the stride makes.
			if hits*2 < all {
				t.Errorf("found %d of %d", hits, all)
			}
		})
	}
}

func TestLuhnFindsEveryDigitError(t *testing.T) {
	const number = "4111111111111111"
	for i := range number {
		for c := '0'; c <= '9'; c++ {
			changed := number[:i] + string(c) + number[i+1:]
			if got, want := detect.Luhn(changed), changed == number; got != want {
				t.Errorf("%s: %v", changed, got)
			}
		}
	}
}

func TestMod97FindsEveryErrorAndSwap(t *testing.T) {
	const number = "GB29NWBK60161331926819"
	if !detect.Mod97(number) {
		t.Fatal("a valid number is refused")
	}
	for i := range number {
		alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		if strings.IndexByte(alphabet, number[i]) < 0 {
			alphabet = "0123456789"
		}
		for _, c := range alphabet {
			if changed := number[:i] + string(c) + number[i+1:]; changed != number && detect.Mod97(changed) {
				t.Errorf("%s is accepted", changed)
			}
		}
		if i > 0 && number[i] != number[i-1] {
			if swapped := number[:i-1] + number[i:i+1] + number[i-1:i] + number[i+1:]; detect.Mod97(swapped) {
				t.Errorf("%s is accepted", swapped)
			}
		}
	}
}

func TestIBANFormatsAreWithinISO13616(t *testing.T) {
	for country, format := range detect.IBANFormats {
		if n := detect.IBANLength(format); n < 15 || n > 34 || len(country) != 2 {
			t.Errorf("%s: %d characters", country, n)
		}
	}
}
