package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
)

// dashboard is what Grafana reads, with those fields that ours has and no others.
type dashboard struct {
	Annotations struct {
		List []json.RawMessage `json:"list"`
	} `json:"annotations"`
	Description string            `json:"description"`
	Editable    bool              `json:"editable"`
	FiscalYear  int               `json:"fiscalYearStartMonth"`
	Tooltip     int               `json:"graphTooltip"`
	Links       []json.RawMessage `json:"links"`
	Panels      []panel           `json:"panels"`
	Refresh     string            `json:"refresh"`
	Schema      int               `json:"schemaVersion"`
	Tags        []string          `json:"tags"`
	Templating  struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Time       struct{ From, To string } `json:"time"`
	TimePicker struct{}                  `json:"timepicker"`
	Timezone   string                    `json:"timezone"`
	Title      string                    `json:"title"`
	UID        string                    `json:"uid"`
	Version    int                       `json:"version"`
	WeekStart  string                    `json:"weekStart"`
}

type panel struct {
	ID          int               `json:"id"`
	Type        string            `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Collapsed   bool              `json:"collapsed"`
	Panels      []json.RawMessage `json:"panels"`
	Source      *datasource       `json:"datasource"`
	Grid        struct {
		H, W, X, Y int
	} `json:"gridPos"`
	Fields struct {
		Defaults  json.RawMessage   `json:"defaults"`
		Overrides []json.RawMessage `json:"overrides"`
	} `json:"fieldConfig"`
	Options json.RawMessage `json:"options"`
	Targets []struct {
		Source  datasource `json:"datasource"`
		Editor  string     `json:"editorMode"`
		Expr    string     `json:"expr"`
		Format  string     `json:"format"`
		Legend  string     `json:"legendFormat"`
		Range   bool       `json:"range"`
		Instant bool       `json:"instant"`
		Ref     string     `json:"refId"`
	} `json:"targets"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type variable struct {
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Label      string            `json:"label"`
	Query      json.RawMessage   `json:"query"`
	Definition string            `json:"definition"`
	Source     *datasource       `json:"datasource"`
	AllValue   string            `json:"allValue"`
	Current    json.RawMessage   `json:"current"`
	Hide       int               `json:"hide"`
	IncludeAll bool              `json:"includeAll"`
	Multi      bool              `json:"multi"`
	Options    []json.RawMessage `json:"options"`
	Refresh    int               `json:"refresh"`
	Regex      string            `json:"regex"`
	Sort       int               `json:"sort"`
}

// The rows that the dashboard has, in this order.
var dashboardRows = []string{"Traffic", "Restorations", "Detection", "Log", "Keys", "Governance", "Export"}

// dashboardFaults is what is wrong with a dashboard.
func dashboardFaults(list metricstest.Closed, text string) (broken []string) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	var d dashboard
	if err := decoder.Decode(&d); err != nil {
		return []string{err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return []string{"something comes after the dashboard"}
	}
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if d.Schema < 39 || d.UID != "counterfoil" || d.Timezone != "utc" {
		say("schema %d, uid %s, timezone %s", d.Schema, d.UID, d.Timezone)
	}
	var variables, rows []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	if !slices.Equal(variables, []string{"datasource", "replica"}) {
		say("variables %v", variables)
	}
	ids := make(map[int]bool)
	taken := make(map[[2]int]string)
	for i := range d.Panels {
		p := &d.Panels[i]
		if ids[p.ID] {
			say("%s: the id %d comes twice", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
			for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
				if other, is := taken[[2]int{x, y}]; is || x < 0 || x > 23 {
					say("%s lies over %q or beside the grid", p.Title, other)
					x, y = 24, 1<<20
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		broken = append(broken, panelFaults(list, p)...)
	}
	if !slices.Equal(rows, dashboardRows) {
		say("rows %v", rows)
	}
	return broken
}

func panelFaults(list metricstest.Closed, p *panel) (broken []string) {
	ours := datasource{"prometheus", "${datasource}"}
	if p.Title == "" || p.Description == "" || len(p.Targets) == 0 || p.Source == nil || *p.Source != ours {
		broken = append(broken, p.Title+": no title, description, query or source")
	}
	var refs []string
	for _, target := range p.Targets {
		if target.Source != ours || slices.Contains(refs, target.Ref) {
			broken = append(broken, p.Title+": another source, or a reference twice")
		}
		refs = append(refs, target.Ref)
		for _, fault := range list.CheckExpression(target.Expr) {
			broken = append(broken, p.Title+": "+fault)
		}
		// What one replica counted is chosen; shares of objectives are of all.
		if !strings.Contains(target.Expr, `instance=~"$replica"`) && !strings.Contains(target.Expr, "counterfoil:") {
			broken = append(broken, p.Title+": the replica cannot be chosen")
		}
	}
	return broken
}

func TestDashboardShowsWhatIsServed(t *testing.T) {
	for _, fault := range dashboardFaults(served(t), read(t, "grafana/counterfoil.json")) {
		t.Error(fault)
	}
}

func TestDashboardShowsWhatIsServed_Twin(t *testing.T) {
	list, text := served(t), read(t, "grafana/counterfoil.json")
	for name, change := range map[string][2]string{
		"a metric":  {"counterfoil_detections_total", "counterfoil_detection_total"},
		"a label":   {"sum by (entity)", "sum by (subject)"},
		"a value":   {`result=\"hit\"`, `result=\"hits\"`},
		"a field":   {`"title": "Traffic"`, `"titel": "Traffic"`},
		"a place":   {`"x": 8,`, `"x": 7,`},
		"an id":     {`"id": 3,`, `"id": 2,`},
		"a source":  {`"uid": "${datasource}"`, `"uid": "P1809F7CD0C75ACF3"`},
		"a replica": {`instance=~\"$replica\"`, `job=\"counterfoil\"`},
		"a row":     {`"title": "Keys"`, `"title": "Locks"`},
		"an end":    {"\n}\n", "\n}\n{}"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Errorf("%s: there is nothing to change", name)
		}
		if len(dashboardFaults(list, changed)) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
	}
}

// Every family is on the dashboard or in an alert: what nobody looks at is not worth
// its series.
func TestEveryFigureIsLookedAt(t *testing.T) {
	text := read(t, "grafana/counterfoil.json") + read(t, "prometheus/rules.yaml") + read(t, "prometheus/alerts.yaml")
	for family := range served(t) {
		if !strings.Contains(text, family) {
			t.Errorf("nobody looks at %s", family)
		}
	}
}
