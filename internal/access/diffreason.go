package access

import (
	"slices"
	"strconv"
	"time"
)

// reasons compares the catalogues.
func (d *differ) reasons() {
	d.add(compared(areaReason, "catalogue",
		[]aspect{about("version", strconv.Itoa(d.old.catalogue))}, []aspect{about("version", strconv.Itoa(d.new.catalogue))})...)
	// What a reason gives is told by the decisions: by itself it gives nothing.
	named(d, areaReason, d.old.reasons, d.new.reasons, Changed, Changed, reasonAspects)
}

// overlays compares the reasons as they are for each tenant that changes them
// in either policy. What differs in the same way without an overlay is told of
// the reason itself.
func (d *differ) overlays() {
	tenants := append(d.old.Tenants(), d.new.Tenants()...)
	slices.Sort(tenants)
	for _, tenant := range slices.Compact(tenants) {
		for _, code := range d.overlaid(tenant) {
			was, inOld := d.old.reasonOf(tenant, code)
			is, inNew := d.new.reasonOf(tenant, code)
			name := tenant + " " + code
			d.add(compared(areaOverlay, name, []aspect{gives("enabled", inOld)}, []aspect{gives("enabled", inNew)})...)
			if !inOld || !inNew {
				continue
			}
			base := compared(areaOverlay, name, reasonAspects(d.old.reasons[code]), reasonAspects(d.new.reasons[code]))
			for _, found := range compared(areaOverlay, name, reasonAspects(was), reasonAspects(is)) {
				if !slices.Contains(base, found) {
					d.add(found)
				}
			}
		}
	}
}

// overlaid are the reasons of both policies that either changes for the tenant.
func (d *differ) overlaid(tenant string) []string {
	var out []string
	for _, overlays := range []map[string]*Reason{d.old.overlays[tenant], d.new.overlays[tenant]} {
		for code := range overlays {
			if has(d.old.reasons, code) && has(d.new.reasons, code) {
				out = append(out, code)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reasonAspects is everything that a reason says.
func reasonAspects(r *Reason) []aspect {
	out := []aspect{
		about("description", r.Description),
		about("legal_basis.gdpr", r.GDPR),
		about("legal_basis.hipaa", r.HIPAA),
		asks("reference.required", r.Reference.Required),
		about("reference.pattern", r.Reference.Pattern),
		ranked("form", string(r.Form), r.Form.rank()),
		grants("classes", r.Classes),
		limits("entities", r.Entities),
		grants("places", r.Places),
		grants("tools", r.Tools),
		asks("mfa", r.MFA),
		limits("acr", r.ACR),
		hoursOf(r),
		networksOf(r),
		limits("environments", r.Environments),
		more("max_tokens", r.MaxTokens),
		asks("notify", r.Notify),
		limit("review_hours", int(r.Review/time.Hour)),
		limits("consent", listOf(r.Consent)),
		gives("reaches.held", r.ReachesHeld),
		gives("reaches.restricted", r.ReachesRestricted),
	}
	for _, class := range Classes() {
		out = append(out, fewer("approvals."+string(class), r.Approvals(class)))
	}
	for _, per := range BudgetPers() {
		out = append(out, budgetOf(r, per, ""))
		for _, class := range Classes() {
			out = append(out, budgetOf(r, per, class))
		}
	}
	return out
}

// budgetOf is the budget with that counter, or none.
func budgetOf(r *Reason, per BudgetPer, class Class) aspect {
	field := "budget per " + string(per)
	if class != "" {
		field += " of " + string(class)
	}
	for _, b := range r.Budgets {
		if b.Per == per && b.Class == class {
			return limit(field, b.Tokens)
		}
	}
	return limit(field, 0)
}

// listOf is a list of one, or of none where it is empty.
func listOf(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
