package access_test

import (
	"net"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// under is the reason with what an overlay says laid over it, field by field. It
// does not ask whether the overlay narrows: that is for the loader.
func (a naiveReason) under(o naiveReason) (naiveReason, bool) {
	if o.Enabled != nil {
		return a, *o.Enabled
	}
	replace(&a.Classes, o.Classes)
	replace(&a.Places, o.Places)
	replace(&a.Tools, o.Tools)
	replace(&a.ACR, o.ACR)
	replace(&a.Networks, o.Networks)
	replace(&a.Environments, o.Environments)
	if o.Entities != nil {
		a.Entities = append([]string{"TOKEN_LIKE"}, o.Entities...)
	}
	if o.Form != "" {
		a.Form = o.Form
	}
	if o.Hours != nil {
		a.Hours = o.Hours
	}
	if o.Review != 0 {
		a.Review = o.Review
	}
	a.MFA, a.Notify = a.MFA || o.MFA, a.Notify || o.Notify
	approvals := map[string]int{}
	for _, class := range classOrder {
		approvals[class] = max(a.Approvals[class], o.Approvals[class])
	}
	a.Approvals = approvals
	for _, b := range o.Budgets {
		same := func(have naiveBudget) bool { return have.Per == b.Per && have.Class == b.Class }
		a.Budgets = append(slices.DeleteFunc(slices.Clone(a.Budgets), same), b)
	}
	return a, true
}

func replace(base *[]string, with []string) {
	if with != nil {
		*base = with
	}
}

// here says whether the caller and the moment are what the reason demands.
func (a naiveReason) here(r access.Request) bool {
	return (len(a.ACR) == 0 || slices.Contains(a.ACR, r.ACR)) &&
		(len(a.Environments) == 0 || slices.Contains(a.Environments, r.Environment)) &&
		(a.Hours == nil || a.Hours.open(r.At)) &&
		(len(a.Networks) == 0 || inside(a.Networks, r))
}

// open counts minutes since each opening, around the week.
func (h naiveHours) open(at time.Time) bool {
	if at.IsZero() {
		return false
	}
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		panic(err)
	}
	minute := func(text string) int {
		return (int(text[0]-'0')*10+int(text[1]-'0'))*60 + int(text[3]-'0')*10 + int(text[4]-'0')
	}
	length := minute(h.To) - minute(h.From)
	if length <= 0 {
		length += 24 * 60
	}
	local := at.In(zone)
	now := int(local.Weekday())*24*60 + local.Hour()*60 + local.Minute()
	for i, day := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		since := now - i*24*60 - minute(h.From)
		if slices.Contains(h.Days, day) && (since+7*24*60)%(7*24*60) < length {
			return true
		}
	}
	return false
}

func inside(networks []string, r access.Request) bool {
	if !r.Address.IsValid() {
		return false
	}
	for _, text := range networks {
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			panic(err)
		}
		if network.Contains(net.IP(r.Address.AsSlice())) {
			return true
		}
	}
	return false
}

// demand adds what an allow comes with, and takes it back for want of consent or
// approvals.
func (a naiveReason) demand(out naiveAnswer, r access.Request, class string) naiveAnswer {
	out.approvals, out.purpose = a.Approvals[class], a.Consent
	for _, b := range a.Budgets {
		if b.Class == "" || b.Class == class {
			out.budgets = append(out.budgets, b)
		}
	}
	switch {
	case a.Consent != "" && !r.Consented:
		out.form, out.wants = "", "consent"
		return out
	case r.Approved < out.approvals:
		out.form, out.wants = "", "needs_approval"
		return out
	}
	if r.Entity != access.EntityTokenLike && slices.Index(order, a.Form) < slices.Index(order, out.form) {
		out.form = a.Form
	}
	out.notify, out.review = a.Notify, a.Review
	return out
}

// disagreement says where a decision is not the answer; empty if nowhere.
func (want naiveAnswer) disagreement(d access.Decision) string {
	form := string(d.Form)
	if d.Allow && form == "" {
		form = "allowed"
	}
	var have []naiveBudget
	for _, b := range d.Budgets {
		have = append(have, naiveBudget{string(b.Per), string(b.Class), b.Tokens})
	}
	sortBudgets(have)
	budgets := slices.Clone(want.budgets)
	sortBudgets(budgets)
	// A denial has rules of its own: those that denied, or that only want an approval.
	decided := d.Allow || want.wants != ""
	switch {
	case form != want.form, d.Allow != (d.Why == access.WhyNone):
		return "the form"
	case decided && !slices.Equal(d.RuleIDs, want.rules):
		return "the rules"
	case want.wants != "" && string(d.Why) != want.wants,
		want.wants == "" && (d.Why == access.WhyConsent || d.Why == access.WhyNeedsApproval):
		return "what is missing"
	case d.Approvals != want.approvals, d.Purpose != want.purpose:
		return "the approvals or the purpose"
	case !slices.Equal(have, budgets):
		return "the budgets"
	case d.Notify != want.notify, d.Review != time.Duration(want.review)*time.Hour:
		return "the notification or the review"
	}
	return ""
}

func sortBudgets(list []naiveBudget) {
	slices.SortFunc(list, func(a, b naiveBudget) int {
		return slices.Compare([]string{a.Per, a.Class}, []string{b.Per, b.Class})
	})
}
