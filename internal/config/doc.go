// Package config is the configuration of the process: one struct per way of
// running, checked as a whole before anything starts. A setting that weakens
// security has no default and is never guessed.
package config
