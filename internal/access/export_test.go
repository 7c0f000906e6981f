package access

import "context"

// CheckOnly runs the tables of one action and reason, so that a test of many
// mutated policies does not run all tables each time.
func (p *Policy) CheckOnly(ctx context.Context, action Action, reason string) (Report, error) {
	key := bucket{action, reason}
	if reason == "" {
		key.reason = none
	}
	var report Report
	err := p.checkBucket(ctx, key, &report)
	return report, err
}
