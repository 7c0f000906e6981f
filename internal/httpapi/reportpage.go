package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// The report as a page to print and hand over. Everything in it but its own
// words is escaped by html/template, which knows where it stands. It has no
// scripts, no links and loads nothing; pagePolicy makes a browser see to that,
// should a value ever get out of its place.

//go:embed report.html
var reportText string

//go:embed report.css
var reportStyle string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"day": onDay, "moment": atMoment, "entity": entityWords, "scopeKind": scopeKindWords, "short": shortRef,
	"roles": roleWords, "retention": retentionWords, "limit": limitWords,
	"vendorDays": vendorDays, "vendorTraining": vendorTraining,
}).Parse(reportText))

// pagePolicy is the Content-Security-Policy of the page (W3C CSP Level 3): its
// own style, by its hash, and nothing else.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(reportStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
}()

// reportPage is an answer in HTML.
type reportPage []byte

func newReportPage(r *vault.SubjectReport) (reportPage, error) {
	page := struct {
		Title      string
		Accounting bool
		Style      template.CSS
		Report     *vault.SubjectReport
	}{"What is kept about you", r.Kind == vault.RequestAccounting, template.CSS(reportStyle), r} //nolint:gosec // a file of ours, embedded
	if page.Accounting {
		page.Title = "Who had data about you"
	}
	var out bytes.Buffer
	if err := reportTemplate.Execute(&out, page); err != nil {
		return nil, fmt.Errorf("httpapi: render a report: %w", err)
	}
	return out.Bytes(), nil
}

// VisitReportOnRequestResponse writes the page.
func (p reportPage) VisitReportOnRequestResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	return writeBytes(w, http.StatusOK, "text/html; charset=utf-8", p)
}

func onDay(t time.Time) string { return t.UTC().Format("2 January 2006") }

func atMoment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04") }

// shortRef is enough of a reference to tell the scopes of one page apart.
func shortRef(ref string) string { return ref[:min(len(ref), 8)] }

// initials are words of entities that stay in capitals, beside those of two
// letters, which are countries.
var initials = []string{
	"ABN", "ACN", "BRN", "BSNR", "FIN", "FRN", "GSTIN", "IBAN", "ITIN", "KFZ", "LANR", "MAC", "MBI", "NHS", "NIE", "NIF",
	"NIN", "NINO", "NPI", "NRIC", "PAN", "PESEL", "PLZ", "RRN", "SIN", "SSN", "TFN", "TIN", "TNIN", "UEN", "URL", "VAT", "API",
}

// entityWords writes the name of an entity as people read it.
func entityWords(name string) string {
	switch name {
	case "NRP":
		return "Nationality, religion or political group"
	case "TOKEN_LIKE":
		return "Text that looks like a token"
	}
	words := strings.Split(name, "_")
	for i, word := range words {
		isCode := len(word) == 2 && word != "ID" || slices.Contains(initials, word)
		switch {
		case isCode, word == "ID" && i > 0:
		case i == 0:
			words[i] = word[:min(len(word), 1)] + strings.ToLower(word[min(len(word), 1):])
		default:
			words[i] = strings.ToLower(word)
		}
	}
	return strings.Join(words, " ")
}

func scopeKindWords(kind vault.ScopeKind) string {
	switch kind {
	case vault.ScopeConversation:
		return "a conversation"
	case vault.ScopeUser:
		return "what is kept for one user"
	case vault.ScopeCase:
		return "a case"
	case vault.ScopeCorpus:
		return "a collection of documents"
	default:
		return string(kind)
	}
}

func roleWords(roles []string) string {
	if len(roles) == 0 {
		return "not known any more"
	}
	return strings.ReplaceAll(strings.Join(roles, ", "), "_", " ")
}

// vendorDays and vendorTraining say nothing of a destination that the policy
// does not have any more.
func vendorDays(d vault.ReportDestination) string {
	if d.Vendor == "" {
		return "not known"
	}
	return plural(d.VendorRetentionDays, "day")
}

func vendorTraining(d vault.ReportDestination) string {
	switch {
	case d.Vendor == "":
		return "not known"
	case d.Training:
		return "yes"
	default:
		return "no"
	}
}

func retentionWords(l vault.RetentionLine) string {
	var about []string
	if l.Entity != "" {
		about = append(about, entityWords(l.Entity))
	}
	if l.Class != "" {
		about = append(about, l.Class+" data")
	}
	if l.Destination != "" {
		about = append(about, "sent to "+l.Destination)
	}
	if l.ScopeKind != "" {
		about = append(about, "in "+scopeKindWords(l.ScopeKind))
	}
	if len(about) == 0 {
		about = append(about, "everything")
	}
	text := strings.Join(about, ", ")
	return strings.ToUpper(text[:1]) + text[1:] + ": " + forLong(l.For)
}

// forLong writes a retention, which is whole days or hours.
func forLong(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return plural(int(d/day), "day")
	}
	return plural(int(d/time.Hour), "hour")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// limitTexts say to a person what a report cannot tell.
var limitTexts = map[vault.ReportLimit]string{
	vault.LimitExpired:       "What was kept before and is deleted by now.",
	vault.LimitUntied:        "Values that tell who you are but were never tied to you.",
	vault.LimitNamesOnly:     "Whether all of this is about you: it was found by a name alone, and other people may have the same one.",
	vault.LimitThirdParties:  "Values that are about somebody else too. They are counted and not shown.",
	vault.LimitConsents:      "To what you gave your consent: consents are not kept here.",
	vault.LimitScopes:        "What there is in further places: there were too many to list.",
	vault.LimitTokens:        "Who had further values back: there were too many to look for.",
	vault.LimitRestorations:  "Older occasions on which values were given back: there were too many to list.",
	vault.LimitValuesRefused: "Some of the values: they could not be shown.",
	vault.LimitIndexKey:      "What can be found only with older keys, which this search did not use.",
}

func limitWords(l vault.ReportLimit) string {
	if text, known := limitTexts[l]; known {
		return text
	}
	return string(l)
}
