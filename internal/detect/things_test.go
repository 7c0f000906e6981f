package detect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// onRequest is only, with the thresholds of those who ask for everything.
func onRequest(t *testing.T, entity string, texts ...string) {
	t.Helper()
	all := detect.Everything()
	d := newDetector(t, detect.Options{Entities: []string{entity}, Thresholds: map[string]float64{entity: all.Thresholds[entity]}})
	for _, marked := range texts {
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

func TestMAC(t *testing.T) {
	only(t, "MAC_ADDRESS",
		"«00:1A:2B:3C:4D:5E»", "MAC: «AA:BB:CC:DD:EE:FE».", "«0a-23-f5-67-89-ac»,«0A-23-F5-67-89-AD»", "ether «de:ad:be:ef:ca:fe» txqueuelen 1000", "\"«00:1a:2b:3c:4d:5e»\"",
		"Cisco «0012.3456.789a»", "mac «001A2B3C4D5E»", "mac «01:23:45:67:89:10»", "bssid=«00:1a:2b:3c:4d:5e»",
		"00:1A:2B:3C:4D", "00:1A:2B:3C:4D:5E:6F", "00:1A:2B:3C:4D:5E:6F:70", "ff:ff:ff:ff:ff:ff", "00-00-00-00-00-00", "10:2F:33-AC-29-C3", "ZZ:ZZ:ZZ:ZZ:ZZ:ZZ",
		"x00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5Ex", "fingerprint 00:1a:2b:3c:4d:5e:6f:70:81:92:a3:b4:c5:d6:e7:f8", "20-11-10-12-30-45", "001A2B3C4D5E", "a-b-c-d-e-f", "12:30:45",
	)
}

func TestCrypto(t *testing.T) {
	only(t, "CRYPTO",
		"«16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ»", "to «3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy».", "«bc1q¦w508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4»", "(«bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297»)",
		"ETH «0x52908400098527886E0F7030069857D2E4169EE7»", "«TJCnKsPa7y5okkXvQAidZBzqx3QyQ6sxMW»", "«tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx»",
		"16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1Boyz", "16yeky6gmjenkaincby7zhrlomsgg1boyz", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
		"8f953371d3e85eddb89b05ed6b9e680791055315c73e1025ab5dba7bb2aee189", "0x0000000000000000000000000000000000000001", "0x52908400098527886E0F7030069857D2E4169EE",
		"commit 52908400098527886E0F7030069857D2E4169EE7",
	)
}

func TestVehicles(t *testing.T) {
	only(t, "VIN",
		"«1HGBH41JXMN109186»", "VIN: «WVWZZZ1JZXW000001»", "chassis «1M8GDM9AXKP042788».", "vin «1hgbh41jxmn109186»",
		"1HGBH41JXMN109187", "WVWZZZ1JZXW000001 is", "1HGBH41JXMN10918", "11111111111111111", "IOQBH41JXMN109186", "a1HGBH41JXMN109186",
	)
	only(t, "LICENSE_PLATE",
		"license plate «7ABC123»", "owns plate «508 CIU».", "Plate number: «85-OV28»", "number plate «AB12 CDE»", "plates «BKC 2927» and «9-38068»", "Kennzeichen «M-AB 1234»", "plate «9RSE 75» was",
		"7ABC123", "plate was seen", "the plate of 2 eggs", "template 7ABC123", "plate 7abc123 now", "license key 7ABC123",
	)
}

func TestURL(t *testing.T) {
	only(t, "URL",
		"«https://ada:Tr0ub4dor@example.com/x?y=1».", "see <«ftp://ada:geheim1@files.example»>", "«postgres://app:s3cr3t@db.example:5432/x»",
		"«https://ghp¦Z0123456789abcdefghijABCDEFGHIJ0123@github.com/x/y.git»", "(«https://example.com/r?token=8f14e45fceea167a»)", "\"«https://x.example/?a=1&access_token=ya29abcdef#top»\"",
		"«https://x.example/cb#id_token=eyJhbGciOi1»", "«https://b.s3.example/f?X-Amz-Signature=0123abcdef», «https://y.example/?api_key=4a8a08f09d37b737»", "«https://x.example/reset?code=482913»!",
		"«https://x.example/login?password=hunter2»", "«https://x.example/(a)?sig=abc123def456» (",
		"https://example.com", "http://example.com/a?b=c", "git+ssh://git@github.com/x/y", "https://user:password@host", "https://user:$PASS@host", "https://user:<password>@host", "https://u:xxxx@host",
		"https://x.example/?token=YOUR_TOKEN", "https://x.example/?key=value", "https://x.example/?q=token", "https://x.example/?code=golang", "https://x.example/?token={token}", "https://x.example/?token=",
		"http://", "://a:b1@c", "a://", "www.example.com", "example.com", "std::cout://",
	)
	onRequest(t, "URL",
		"«https://www.example.com/»", "«http://example.webcam».", "(«https://en.example.org/wiki/A_(b)»)", "«www.example.com/a/b?c», and «example.co.il»", "my domains: «example.com» «google.de».", "“«https://example.com/x»”",
		"www.example", "ada@example.com", "a.b.c", "http://backend/x", "foo.in(x)", "x.com.zz", "e.g. this", "$x.com",
	)
}

func TestDates(t *testing.T) {
	only(t, "DATE_TIME",
		"born «1965-06-24»", "DOB: «03/15/1989»", "date of birth. It's «6/24/1991»", "born on «March 15, 1989» in Rome", "geboren am «24. Dezember 1980»", "Geburtsdatum: «24.12.1980»", "née le «3 février 1970»",
		"birthday is «May 5»", "(born «14 March 1879»)", "bday «5-MAY-2021»", "fecha de nacimiento «3 de mayo de 1990»", "dob=«1990-01-02»", "DOB: «19900102»", "born on «Jan. 5 1980»", "DOB «05-Jan-1980»", "生年月日：«1990-01-02»", "born «5th of May 2001»",
		"on 1965-06-24", "03/15/1989", "born in 1972", "born 5 times", "unborn 1965-06-24", "signed on March 15, 1989", "born then, died 5 May 1990", "DOB 1.2.3.4", "born 13/13/1990", "born 2019-02-", "reborn 1965-06-24", "dob 5/21", "19900102", "dob 19901332",
	)
}

func TestDatesOnRequest(t *testing.T) {
	onRequest(t, "DATE_TIME",
		"Today is «5-20-2021»", "«21.5.21»", "«21-May» and «May-2021»", "«2024-12-31T23:59:59+00:00» or", "at «2024-03-15T14:30:00.123Z», or", "«21.11.2023 10:30».", "«May 1st, 1977»", "in «May», since «1972»", "«1972»",
		"on «Thursday» at «10:30 am»", "«1 January 2000» to «Feb. 3, 2001»", "«3 mars 2020»",
		"Today", "is2024-06-05T09:15:30.500-07:00", "5/21and", "may 5 of you", "it may be", "page 1972b", "1:2:3", "12:345", "25:00", "a12:30", "room 1972", "192.168.10.12", "0.5.2021", "version 5.20.20211", "in 4711", "10:30:15:20",
	)
}
