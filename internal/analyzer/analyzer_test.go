package analyzer_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/analyzer"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// told are spans as "rule entity: text", sorted.
func told(text string, spans []detect.Span) []string {
	var out []string
	for _, s := range spans {
		out = append(out, s.Rule+" "+s.Entity+": "+text[s.Start:s.End])
	}
	slices.Sort(out)
	return out
}

func TestPositionsAreThoseOfTheText(t *testing.T) {
	s := newServer(t, map[string]string{"Zoë": "PERSON", "東京": "LOCATION", "x": "PERSON", "𝒳": "CUSTOM_ID"})
	c := client(t, analyzer.Config{URL: s.URL + "/v2/"})
	for text, want := range map[string][]string{
		"Zoë in 東京, 𝒳 🙂 x": {"analyzer/CUSTOM_ID CUSTOM_ID: 𝒳", "analyzer/LOCATION LOCATION: 東京", "analyzer/PERSON PERSON: Zoë", "analyzer/PERSON PERSON: x"},
		"\xff\xfe x":       {"analyzer/PERSON PERSON: x"},
		"nothing":          nil,
	} {
		got, err := c.Analyze(context.Background(), text, nil)
		if diff := cmp.Diff(want, told(text, got)); diff != "" || err != nil {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
	q := s.questions()[0]
	if q.Language != "en" || *q.Threshold != analyzer.DefaultMinScore || q.Entities != nil {
		t.Errorf("asked %+v", q)
	}
}

const token = "[PERSON_0000000000]"

// TestReservedDoesNotLeave: what is reserved is replaced code point by code point, and a finding across it is cut.
func TestReservedDoesNotLeave(t *testing.T) {
	s := newServer(t, map[string]string{"Zoë " + strings.Repeat("*", len(token)) + " Ann": "PERSON", "東京": "LOCATION", "***": "PERSON"})
	c := client(t, analyzer.Config{URL: s.URL})
	text := "é Zoë " + token + " Ann in 東京"
	at := strings.Index(text, token)
	reserved := [][2]int{{at + 3, at + len(token)}, {at, at + 5}}
	got, err := c.Analyze(context.Background(), text, reserved)
	want := []string{"analyzer/LOCATION LOCATION: 東京", "analyzer/PERSON PERSON: Ann", "analyzer/PERSON PERSON: Zoë"}
	if diff := cmp.Diff(want, told(text, got)); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	left := *s.questions()[0].Text
	if strings.Contains(left, "PERSON_") || utf8.RuneCountInString(left) != utf8.RuneCountInString(text) {
		t.Errorf("what left: %q", left)
	}
	c.TellReserved()
	if _, err := c.Analyze(context.Background(), text, reserved); err != nil || !strings.Contains(*s.questions()[1].Text, token) {
		t.Errorf("%v: without the mask nothing leaves either: this twin shows nothing", err)
	}
}

func TestEntitiesAreMapped(t *testing.T) {
	s := newServer(t, map[string]string{"a1": "PER", "b2": "PERSON", "c3": "NOISE", "d4": "SOMETHING"})
	for name, test := range map[string]struct {
		mapped map[string]string
		want   []string
		err    error
	}{
		"all":          {map[string]string{"PER": "PERSON", "NOISE": "", "SOMETHING": "CUSTOM_ID"}, []string{"analyzer/PER PERSON: a1", "analyzer/PERSON PERSON: b2", "analyzer/SOMETHING CUSTOM_ID: d4"}, nil},
		"others":       {map[string]string{"NOISE": "", "*": "CUSTOM_ID"}, []string{"analyzer/PER CUSTOM_ID: a1", "analyzer/PERSON PERSON: b2", "analyzer/SOMETHING CUSTOM_ID: d4"}, nil},
		"others out":   {map[string]string{"*": ""}, []string{"analyzer/PERSON PERSON: b2"}, nil},
		"not all said": {map[string]string{"PER": "PERSON", "NOISE": ""}, nil, analyzer.ErrAnswer},
	} {
		c := client(t, analyzer.Config{URL: s.URL, Map: test.mapped})
		const text = "a1 b2 c3 d4"
		got, err := c.Analyze(context.Background(), text, nil)
		if diff := cmp.Diff(test.want, told(text, got)); diff != "" || !errors.Is(err, test.err) {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestEveryLanguageIsAsked(t *testing.T) {
	s := newServer(t, map[string]string{"de:Ärztin": "PERSON", "en:Ann": "PERSON"})
	c := client(t, analyzer.Config{URL: s.URL, Languages: []string{"en", "de"}, Entities: []string{"PERSON"}, MinScore: 0.3, Bearer: "canary-credential"})
	const text = "Ann und die Ärztin"
	got, err := c.Analyze(context.Background(), text, nil)
	if diff := cmp.Diff([]string{"analyzer/PERSON PERSON: Ann", "analyzer/PERSON PERSON: Ärztin"}, told(text, got)); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for n, q := range s.questions() {
		if q.Entities[0] != "PERSON" || *q.Threshold != 0.3 || s.header[n].Get("Authorization") != "Bearer canary-credential" {
			t.Errorf("asked %+v", q)
		}
	}
}

// TestInvariant18_AnswersAreTakenWholeOrNotAtAll: the first finding of each would be good.
func TestInvariant18_AnswersAreTakenWholeOrNotAtAll(t *testing.T) {
	const text = "canary Zoë"
	good := `{"entity_type":"PERSON","start":7,"end":10,"score":0.9}`
	list := func(second string) string { return "[" + good + "," + second + "]" }
	one := func(start, end, score any) string {
		return list(fmt.Sprintf(`{"entity_type":"PERSON","start":%v,"end":%v,"score":%v}`, start, end, score))
	}
	for name, test := range map[string]struct {
		status int
		body   string
	}{
		"beyond the text":    {200, one(7, 11, 1)},
		"before it":          {200, one(-1, 3, 1)},
		"empty":              {200, one(3, 3, 1)},
		"backwards":          {200, one(4, 3, 1)},
		"half a code point":  {200, one(0.5, 3, 1)},
		"far beyond":         {200, one("1e18", "2e18", 1)},
		"a score above":      {200, one(0, 3, 1.01)},
		"a score below":      {200, one(0, 3, -0.1)},
		"no start":           {200, list(`{"entity_type":"PERSON","end":3,"score":1}`)},
		"no entity":          {200, list(`{"start":0,"end":3,"score":1}`)},
		"an entity of words": {200, list(`{"entity_type":"canary name","start":0,"end":3,"score":1}`)},
		"an unknown entity":  {200, list(`{"entity_type":"SHOE_SIZE","start":0,"end":3,"score":1}`)},
		"null":               {200, "null"},
		"no list":            {200, good},
		"an error":           {200, `{"error":"canary"}`},
		"no JSON":            {200, "[" + good + "]canary"},
		"cut off":            {200, "[" + good},
		"nothing":            {200, ""},
		"another status":     {201, "[" + good + "]"},
		"an error's status":  {500, "canary"},
		"too much":           {200, "[" + good + strings.Repeat(" ", analyzer.MaxAnswerBytes) + "]"},
		"too many":           {200, "[" + good + strings.Repeat(","+good, analyzer.MaxFindings) + "]"},
	} {
		s := newServer(t, nil)
		s.says(test.status, test.body)
		got, err := client(t, analyzer.Config{URL: s.URL}).Analyze(context.Background(), text, nil)
		if !errors.Is(err, analyzer.ErrAnswer) || got != nil || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: got %v with %d spans", name, err, len(got))
		}
		s.says(200, "["+good+"]")
		if got, err := client(t, analyzer.Config{URL: s.URL}).Analyze(context.Background(), text, nil); err != nil || len(got) != 1 {
			t.Fatalf("the good one alone: %v", err)
		}
	}
}

func TestInvariant18_NoAnswer(t *testing.T) {
	s := newServer(t, nil)
	release := make(chan struct{})
	defer close(release)
	s.answer = func(http.ResponseWriter, *http.Request) { <-release }
	_, err := client(t, analyzer.Config{URL: s.URL, Timeout: 10 * time.Millisecond}).Analyze(context.Background(), "canary", nil)
	if !errors.Is(err, analyzer.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client(t, analyzer.Config{URL: s.URL}).Analyze(ctx, "canary", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("gone away: %v", err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if _, err := client(t, analyzer.Config{URL: gone.URL}).Analyze(context.Background(), "canary", nil); !errors.Is(err, analyzer.ErrUnavailable) || strings.Contains(err.Error(), "canary") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestRedirectsAreNotFollowed, and the twin: somebody else would get the text.
func TestRedirectsAreNotFollowed(t *testing.T) {
	other, s := newServer(t, nil), newServer(t, nil)
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/analyze", http.StatusTemporaryRedirect)
	}
	c := client(t, analyzer.Config{URL: s.URL})
	if _, err := c.Analyze(context.Background(), "canary", nil); !errors.Is(err, analyzer.ErrAnswer) || len(other.questions()) != 0 {
		t.Errorf("%v, %d questions elsewhere", err, len(other.questions()))
	}
	c.FollowRedirects()
	if _, err := c.Analyze(context.Background(), "canary", nil); err != nil || len(other.questions()) != 1 {
		t.Errorf("%v: the text went nowhere: this twin shows nothing", err)
	}
}

func TestNoProxyIsAsked(t *testing.T) {
	proxy := newServer(t, nil)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	c := client(t, analyzer.Config{URL: "http://analyzer.invalid:1", PlainHTTP: true, Timeout: time.Second})
	if _, err := c.Analyze(context.Background(), "canary", nil); !errors.Is(err, analyzer.ErrUnavailable) || len(proxy.questions()) != 0 {
		t.Errorf("%v, %d questions to the proxy", err, len(proxy.questions()))
	}
}

func TestOnlyWhoIsVouchedFor(t *testing.T) {
	s := &server{words: map[string]string{"Zoë": "PERSON"}}
	secure := httptest.NewTLSServer(http.HandlerFunc(s.serve))
	defer secure.Close()
	if _, err := client(t, analyzer.Config{URL: secure.URL}).Analyze(context.Background(), "Zoë", nil); !errors.Is(err, analyzer.ErrUnavailable) || len(s.questions()) != 0 {
		t.Errorf("an authority that nobody knows: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	if got, err := client(t, analyzer.Config{URL: secure.URL, Roots: roots}).Analyze(context.Background(), "Zoë", nil); err != nil || len(got) != 1 {
		t.Errorf("one that was named: %v", err)
	}
}

// TestBreaker: an analyzer that fails is left alone for a while, and asked again after it.
func TestBreaker(t *testing.T) {
	s := newServer(t, map[string]string{"Zoë": "PERSON"})
	for name, breakFor := range map[string]time.Duration{"a while": time.Hour, "over": time.Nanosecond} {
		c, err := analyzer.NewImpatient(analyzer.Config{URL: s.URL, Known: known}, breakFor)
		if err != nil {
			t.Fatal(err)
		}
		s.says(500, "")
		before := len(s.questions())
		for range analyzer.BreakAfter {
			if _, err := c.Analyze(context.Background(), "Zoë", nil); !errors.Is(err, analyzer.ErrAnswer) {
				t.Fatal(err)
			}
		}
		s.recovers()
		got, err := c.Analyze(context.Background(), "Zoë", nil)
		asked := len(s.questions()) - before - analyzer.BreakAfter
		if open := breakFor == time.Hour; open != errors.Is(err, analyzer.ErrUnavailable) || open != (asked == 0) || open != (len(got) == 0) {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
		c.Close()
	}
}

func TestCheckTellsEveryFault(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*analyzer.Config)
		fields string
	}{
		"nothing":               {func(*analyzer.Config) {}, ""},
		"loopback":              {func(c *analyzer.Config) { c.URL = "http://127.0.0.1:5002/x" }, ""},
		"plain, and said so":    {func(c *analyzer.Config) { c.URL, c.PlainHTTP = "http://analyzer:5002", true }, ""},
		"plain":                 {func(c *analyzer.Config) { c.URL = "http://canary:5002" }, "url"},
		"plain with credential": {func(c *analyzer.Config) { c.URL, c.PlainHTTP, c.Bearer = "http://canary:5002", true, "canary" }, "url"},
		"https, and plain":      {func(c *analyzer.Config) { c.PlainHTTP = true }, "url"},
		"no URL":                {func(c *analyzer.Config) { c.URL = "" }, "url"},
		"another protocol":      {func(c *analyzer.Config) { c.URL = "file:///canary" }, "url"},
		"a user":                {func(c *analyzer.Config) { c.URL = "https://canary:canary@example.com" }, "url"},
		"a query":               {func(c *analyzer.Config) { c.URL = "https://example.com/?canary" }, "url"},
		"a language":            {func(c *analyzer.Config) { c.Languages = []string{"en", "Canary"} }, "languages[1]"},
		"a language twice":      {func(c *analyzer.Config) { c.Languages = []string{"en", "en"} }, "languages[1]"},
		"many languages":        {func(c *analyzer.Config) { c.Languages = []string{"en", "de", "fr", "es", "it", "nl"} }, "languages"},
		"an entity":             {func(c *analyzer.Config) { c.Entities = []string{"canary bird"} }, "entities[0]"},
		"many entities":         {func(c *analyzer.Config) { c.Entities = slices.Repeat([]string{"E"}, 257) }, "entities"},
		"mapped to nobody":      {func(c *analyzer.Config) { c.Map = map[string]string{"PER": "CANARY"} }, "map"},
		"mapped from words":     {func(c *analyzer.Config) { c.Map = map[string]string{"a canary": "PERSON"} }, "map"},
		"a score":               {func(c *analyzer.Config) { c.MinScore = 1.1 }, "min_score"},
		"a timeout":             {func(c *analyzer.Config) { c.Timeout = time.Hour }, "timeout"},
		"a credential":          {func(c *analyzer.Config) { c.Bearer = "canary\r\nX: y" }, "bearer"},
	} {
		c := analyzer.Config{URL: "https://analyzer.example.com", Known: known}
		test.change(&c)
		var fields []string
		for _, f := range c.Check() {
			fields = append(fields, f.Field)
			if strings.Contains(f.Error(), "canary") || !errors.Is(f, analyzer.ErrConfig) {
				t.Errorf("%s: %v", name, f)
			}
		}
		if got := strings.Join(fields, " "); got != test.fields {
			t.Errorf("%s: faults %q, want %q", name, got, test.fields)
		}
		if _, err := analyzer.New(c); (err == nil) != (test.fields == "") {
			t.Errorf("%s: New: %v", name, err)
		}
	}
}

func TestVersionIsOfWhatDecides(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []analyzer.Config{
		{URL: "https://a.example"}, {URL: "https://b.example"}, {URL: "https://a.example", Languages: []string{"de"}},
		{URL: "https://a.example", Map: map[string]string{"A": ""}}, {URL: "https://a.example", MinScore: 0.1},
	} {
		v := client(t, c).Version()
		if seen[v] || v != client(t, c).Version() {
			t.Errorf("%+v: version %s", c, v)
		}
		seen[v] = true
	}
}
