package token_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/google/go-cmp/cmp"
)

// The places of a case: one letter for each token.
var placeOf = map[rune]token.Place{'p': token.PlaceProse, 'c': token.PlaceCode, 'u': token.PlaceURL}

// TestPlace: in a text T stands for a token, K for one without brackets, R for one with white space inside,
// U and D for one of the entity URL and DOMAIN_NAME; Ŧ, Ř and Đ for the letters.
func TestPlace(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, []string{"PERSON"})
	repaired := func(s string) string { return "[" + strings.ReplaceAll(bare(s), "_", "\n") + "]" }
	for _, c := range []struct{ text, want string }{
		// Prose.
		{"T", "p"}, {"Đear T, I am T.", "pp"}, {"T: T", "pp"}, {"T/T", "pp"}, {"(T)", "p"}, {"T@T", "pp"}, {"e.g. T", "p"}, {"a: T", "p"},
		{"See https://example.com for details about T", "p"}, {"See https://example.com.\nT", "p"}, {"see www.example.com, T", "p"},
		{"Mail: T", "p"}, {"data: T", "p"}, {"1 / 2 T", "p"}, {"and/or T", "p"}, {"// T", "p"}, {"a bakery.T is", "p"}, {"Đr.T/T", "pp"},
		{"x < T and y > T", "pp"}, {"<T>", "p"}, {"T <T>", "pp"}, {"a<b;T", "p"}, {"List<T>", "p"}, {"<p>T</p> T", "pp"}, {"<h1>T</h1>", "p"},
		{"<!-- T -->", "p"}, {"<https://example.com> T", "p"}, {"<br/>T", "p"}, {"[T]", "p"}, {"[a] (T)", "p"}, {"- [ ] T", "p"},
		{"[docs](https://example.com) T", "p"}, {"[a](b)T", "p"}, {"[a](b(c)d) T", "p"}, {"[^1]: T", "p"}, {"T: T\nT: T", "pppp"},
		{`{"url": "https://example.com", "name": "T"}`, "p"}, {`{"url":"https://example.com","name":"T"}`, "p"}, {"'https://a.example','T'", "p"},
		{"a <b c\n\nT", "p"}, {"[a](b\n\nT", "p"}, {"f[0](x) T", "p"}, {"3.5 T", "p"}, {"名。T", "p"}, {"\xff\xfe T", "p"}, {"km/h T", "p"}, {"D, T", "pp"}, {"U T", "pp"},
		{"Řestore T, T and T at 12:30.T", "pppp"}, {"C: T", "p"}, {"escaped \\`T", "p"},
		// A URL, by scheme and slashes.
		{"https://a.example/T", "u"}, {"https://a.example/?q=T&r=T T", "uup"}, {"HŦŦPS://A.EXAMPLE/T", "u"}, {"https:a.example/T", "u"}, {"http:\\\\a.example\\T", "u"},
		{"foo://T", "u"}, {"//a.example/T", "u"}, {"\\\\a.example\\T", "u"}, {"/\\a.example/T", "u"}, {"https:\\/\\/a.example\\/T", "u"},
		{"mailto:T", "u"}, {"MailŦo:T?body=T", "uu"}, {"data:text/html,T", "u"}, {"javascript:f('T')", "u"}, {"tel:T", "u"}, {"view-source:T", "u"}, {"git+ssh:T", "u"},
		{"www.a.example/T", "u"}, {"WWW.T", "u"}, {"a.example/T", "u"}, {"a.example?q=T", "u"}, {"a.example#T", "u"}, {"a.example:8080/T", "u"}, {"é.example/T", "u"},
		{"user@a.example/T", "u"}, {"T.a.example/T", "pu"}, {"a.exampleT/T", "pu"}, {"192.0.2.1/T", "u"}, {"x-y.example/T", "u"},
		// In doubt, without white space.
		{"https://a.example/(a)T", "u"}, {"https://a.example/)T", "u"}, {"https://a.example/]T", "u"}, {"https://a.example/\"T", "u"}, {"https://a.example/'T", "u"},
		{"https://a.example/>T", "u"}, {"https://a.example/,T", "u"}, {"https://a.example/`T", "u"}, {"https://a.example/\u3000T", "u"}, {"https://a.example/\u00a0T", "u"},
		{"(https://a.example/)T", "u"}, {"\"https://a.example/'T", "u"}, {"https://T/T", "uu"}, {"https://[T]/T", "uu"}, {"https://a.example/RT", "uu"},
		{"https://a.example/名T", "u"}, {"https://a.example/\xffT", "u"}, {"https://a.example/%5BT", "u"}, {"‘https://a.example/’T", "u"},
		// What a token's value begins.
		{"UT", "pu"}, {"U/T T", "pup"}, {"U?q=T", "pu"}, {"D/T", "pu"}, {"D?T", "pu"}, {"DT", "pp"}, {"U,T", "pu"},
		// Markdown.
		{"[a](T)", "u"}, {"![a](T)", "u"}, {"[a](/p/T) T", "up"}, {"[a](<p T> T) T", "uup"}, {"[a]( T", "u"}, {"[a](\nT", "u"}, {"[a](b T)", "u"}, {"[a](b(T)T) T", "uup"},
		{"[a](b\\)T)T", "up"}, {"[a](<b)T>)T", "up"}, {"T(T)", "pu"}, {"[T](https://a.example)", "p"}, {"[a](https://a.example/)T", "u"}, {"[![a](b)](T)", "u"}, {"[T](T \"T\")T", "puup"},
		{"[x]: T", "u"}, {"[x]:T T", "up"}, {"  [x]:\n  /p/T", "u"}, {"> [x]: <p T> T", "up"}, {"a\n[x y]: /T", "u"}, {"[a \\] b]: /T", "u"}, {"[x]: [a](b T)", "u"}, {"a [x]: T", "p"},
		{"[x]:\n\nT", "p"},
		// HTML.
		{`<img src="T">`, "u"}, {`<img src="https://a.example/?q=a T b">T`, "up"}, {`<img src='T' alt="T > T">T`, "uuup"}, {"<img src=T>T", "up"}, {"<IMG\nSŘC=T>", "u"},
		{"<img/src=T>", "u"}, {`<a href="mailto:T">T</a>`, "up"}, {`<a href="https://a.example">T</a>`, "p"}, {"<a href=https://a.example>T", "p"}, {`<a b="c"d=T>`, "u"},
		{`<a title='"'href=T>`, "u"}, {"<x:y z=T>", "u"}, {"<a b = \"T\">", "u"}, {"<a b=\"\n\nT\">", "u"}, {"<<a b=T>", "u"}, {`[a](<img src="x) T">`, "u"}, {`<b T>`, "u"}, {`<b don't T>T`, "up"},
		// Code.
		{"`T` T", "cp"}, {"``a`T`` T", "cp"}, {"a `b` T", "p"}, {"```\nT\n```\nT", "cp"}, {"~~~ go\nT\n~~~\nT", "cp"}, {"```a T\nT", "cc"}, {"  ````\n```\nT\n`````\nT", "cp"},
		{"```\n``` T\nT\n```\nT", "ccp"}, {"```\na ```\nT", "c"}, {"~~~\n```\nT\n~~~\nT", "cp"}, {"```a``` T", "p"}, {"`T\n\nT", "cp"}, {"```\nT\n\nT", "cc"}, {"a ~~~\nT", "p"}, {"~T~", "p"},
		{"`T``T`T", "ccp"}, {"> ```\n> T\n> ```\n> T", "cp"},
		{"`https://a.example/T` T", "up"}, {"```\ncurl https://a.example/T T\n```\nT", "ucp"}, {"use `<img` for T", "p"}, {"use `<img src=` for T", "p"}, {"`<img src=`T", "u"}, {"`a](b` T", "p"}, {"`a](b`T", "u"}, {"`<img src=\"` T", "u"},
		{"`a` [b](`c`T)", "u"},
		// What a token leaves behind.
		{"]K(T", "pp"}, {"/K/T", "pp"}, {`<a b=T"T>T`, "uup"}, {"[x]T: T", "pp"}, {"T```\n\nT", "pp"}, {"`a\nT\nT", "cc"},
	} {
		tokens := strings.NewReplacer("T", m.label().String(), "R", repaired(m.label().String()),
			"K", bare(m.label().String()), "U", m.label("URL").String(), "D", m.label("DOMAIN_NAME").String(), "Ŧ", "T", "Đ", "D", "Ř", "R")
		text := tokens.Replace(c.text)
		var want, got []token.Place
		for _, r := range c.want {
			want = append(want, placeOf[r])
		}
		for _, hit := range v.Scan(text) {
			got = append(got, hit.Place)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q\n%s", c.text, diff)
		}
	}
}

// TestPlaceTwin: without what comes before it every token is in prose.
func TestPlaceTwin(t *testing.T) {
	v := vocabulary(t)
	tok := newMinter(t, []string{"PERSON"}).label().String()
	for before, want := range map[string]token.Place{"https://a.example/": token.PlaceURL, "`": token.PlaceCode} {
		for text, want := range map[string]token.Place{before + tok: want, tok: token.PlaceProse} {
			if got := v.Scan(text); len(got) != 1 || got[0].Place != want {
				t.Errorf("%q: %v", text, got)
			}
		}
	}
}

// TestPlaceShortCut: the short cut through prose changes nothing.
func TestPlaceShortCut(t *testing.T) {
	m := newMinter(t, []string{"PERSON"})
	for range 20_000 {
		text := m.sentence(m.IntN(8))
		if fast, slow := token.PlaceBehind(text, true), token.PlaceBehind(text, false); fast != slow {
			t.Fatalf("%q: %s, slowly %s", text, fast, slow)
		}
	}
}
