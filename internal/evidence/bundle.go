package evidence

// PolicyPath is the file of a policy version in a bundle.
func PolicyPath(version string) string { return "policies/" + version + ".tar" }
