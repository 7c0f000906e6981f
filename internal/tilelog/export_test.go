package tilelog

// Break is called before each step of the disk.
func Break(w *Writer, before func(step string) error) { w.files.Before = before }
