package names

// ReadTraining is readTraining, for tests.
func ReadTraining(dir string) (int, error) {
	texts, err := readTraining(dir)
	return len(texts), err
}
