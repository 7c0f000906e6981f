package report

import (
	"html/template"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// A page is all that the template needs, in the order in which it is read.
type page struct {
	Policy     string
	Style      template.CSS
	Tenant     string
	From       string
	To         string
	Definition string
	Origin     string
	Size       string
	Facts      []fact
	Verdict    *verdict // nil where no controls were tried
	Numbers    []number
	Figures    []figure
	Parts      []part
}

// A fact is a line of the cover.
type fact struct {
	Name, Text string
	Code       bool
}

// A part is several tables about one thing.
type part struct {
	ID, Title string
	Sheets    []sheet
}

// parts are the tables that belong together, in the order of the page. A table that
// is in none of them comes at the end.
var parts = []struct {
	id, title string
	tables    []string
}{
	{"restored", "What was restored", []string{
		evidence.TableRestorationsReason, evidence.TableRestorationsActor, evidence.TableRestorationsEndUser,
		evidence.TableRestorationsEntity, evidence.TableRestorations,
	}},
	{"refused", "What was refused", []string{evidence.TableDenialsReason, evidence.TableDenials}},
	{"agreed", "Who agreed, and who looked at it afterwards", []string{
		evidence.TableApprovals, evidence.TableBreakGlass, evidence.TableAccessReviews,
	}},
	{"policy", "Under which policy", []string{evidence.TablePolicyVersions, evidence.TablePolicyDiffs, evidence.TableAccessMatrix}},
	{"persons", "What persons asked for and agreed to", []string{evidence.TableRequests, evidence.TableErasures, evidence.TableConsents}},
	{"kept", "What was kept, held and destroyed", []string{
		evidence.TableKeys, evidence.TableHolds, evidence.TableRetentionSettings, evidence.TableRetentionDeleted,
	}},
	{"vendors", "Where it was sent", []string{
		evidence.TableExposure, evidence.TableExposureActions, evidence.TableAgreements,
		evidence.TableDispatchesVendor, evidence.TableDispatches,
	}},
	{"service", "How the service did", []string{
		evidence.TableServiceLevels, evidence.TableSuspensions, evidence.TableIncidents,
	}},
}

func newPage(e *evidence.Evidence) page {
	p := page{
		Policy: pagePolicy, Style: template.CSS(pageStyle), //nolint:gosec // a file of ours, embedded
		Tenant: e.Tenant, From: onDay(e.Period.From), To: onDay(e.Period.To),
		Definition: evidence.Definition, Origin: e.Origin, Size: count(e.Size), Facts: facts(e), Verdict: newVerdict(e), Numbers: numbers(e), Figures: figures(e),
	}
	placed := map[string]bool{evidence.TableControls: true}
	for _, group := range parts {
		one := part{ID: group.id, Title: group.title}
		for _, name := range group.tables {
			placed[name] = true
			if t, given := e.Table(name); given {
				one.Sheets = append(one.Sheets, newSheet(t, maxRows))
			}
		}
		if len(one.Sheets) > 0 {
			p.Parts = append(p.Parts, one)
		}
	}
	further := part{ID: "further", Title: "Further tables"}
	for _, t := range e.Tables {
		if !placed[t.Name] {
			further.Sheets = append(further.Sheets, newSheet(t, maxRows))
		}
	}
	if len(further.Sheets) > 0 {
		p.Parts = append(p.Parts, further)
	}
	return p
}

// facts say of what the report is, and against what it can be checked.
func facts(e *evidence.Evidence) []fact {
	entries := "none in the period"
	if e.Last > e.First {
		entries = strconv.FormatInt(e.First, 10) + " to " + strconv.FormatInt(e.Last-1, 10) +
			" (" + plural(e.Last-e.First, "entry", "entries") + ")"
	}
	return []fact{
		{"Tenant", e.Tenant, true},
		{"Period", "from " + moment(e.Period.From) + " until just before " + moment(e.Period.To), false},
		{"Entries of the period", entries, false},
		{"Log", e.Origin, true},
		{"Checkpoint", "size " + count(e.Size), false},
		{"Root of the log", e.Root.String(), true},
		{"Made", moment(e.Made), false},
		{"Made by", e.ToolVersion, true},
	}
}
