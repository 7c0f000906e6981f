package metricstest

import (
	"regexp"
	"slices"
	"strings"
)

// An expression of PromQL is not parsed here but searched: for the metrics that it
// names with their selectors, and for the labels that it groups by. That it is one,
// promtool tells.
var (
	named   = regexp.MustCompile(`\b(counterfoil[A-Za-z0-9_:]*)\s*(?:\{([^}]*)\})?`)
	matcher = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*(?:,|$)`)
	grouped = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
)

// ofTargets are the labels that Prometheus itself puts on what it scrapes.
var ofTargets = []string{"instance", "job"}

// CheckExpression says what in an expression nobody serves: a metric, a label, or a
// value that no label ever has. An alert on such a thing can never fire, and looks
// like one that has no reason to.
func (c Closed) CheckExpression(expression string) (wrong []string) {
	var known []string
	found := named.FindAllStringSubmatch(expression, -1)
	if len(found) == 0 {
		return []string{"no metric of ours"}
	}
	for _, one := range found {
		labels, served := c.family(one[1])
		if !served {
			wrong = append(wrong, "nobody serves "+one[1])
			continue
		}
		known = append(known, "le")
		for name := range labels {
			known = append(known, name)
		}
		wrong = append(wrong, checkSelector(one[1], one[2], labels)...)
	}
	for _, group := range grouped.FindAllStringSubmatch(expression, -1) {
		for name := range strings.SplitSeq(group[1], ",") {
			name = strings.TrimSpace(name)
			if name != "" && !slices.Contains(known, name) && !slices.Contains(ofTargets, name) {
				wrong = append(wrong, "no metric here has the label "+name)
			}
		}
	}
	return wrong
}

// histograms are the families that are.
var histograms = []string{
	"counterfoil_http_request_seconds", "counterfoil_commit_batch_changes", "counterfoil_commit_seconds", "counterfoil_notice_seconds",
}

// family finds the family of a metric, of which a histogram has three.
func (c Closed) family(name string) (Labels, bool) {
	if labels, served := c[name]; served {
		return labels, true
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, has := strings.CutSuffix(name, suffix); has {
			if labels, served := c[base]; served && slices.Contains(histograms, base) {
				return labels, true
			}
		}
	}
	return nil, false
}

func checkSelector(metric, selector string, labels Labels) (wrong []string) {
	if strings.TrimSpace(matcher.ReplaceAllString(selector, "")) != "" {
		return []string{"a selector of " + metric + " that cannot be read"}
	}
	for _, m := range matcher.FindAllStringSubmatch(selector, -1) {
		name, operator, value := m[1], m[2], m[3]
		if slices.Contains(ofTargets, name) || name == "le" && strings.HasSuffix(metric, "_bucket") {
			continue
		}
		values, has := labels[name]
		if !has {
			wrong = append(wrong, metric+" has no label "+name)
			continue
		}
		for _, alternative := range alternatives(operator, value) {
			if !slices.ContainsFunc(values, alternative.MatchString) {
				wrong = append(wrong, "the label "+name+" of "+metric+" is never "+alternative.String())
			}
		}
	}
	return wrong
}

// alternatives are what a matcher may match, each of which has to be something. A
// variable of a dashboard is anything.
func alternatives(operator, value string) (all []*regexp.Regexp) {
	parts := []string{regexp.QuoteMeta(value)}
	if strings.HasSuffix(operator, "~") {
		parts = strings.Split(value, "|")
	}
	for _, part := range parts {
		if strings.HasPrefix(part, "$") || strings.HasPrefix(part, `\$`) {
			part = ".*"
		}
		re, err := regexp.Compile("^(?:" + part + ")$")
		if err != nil {
			re = regexp.MustCompile("^(?:" + regexp.QuoteMeta(part) + ")$")
		}
		all = append(all, re)
	}
	return all
}
