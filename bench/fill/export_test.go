package fill

// Keep sets the largest step that keeps indexes, which is too large for a test.
func (f *Fill) Keep(mappings int64) { f.keep = mappings }
