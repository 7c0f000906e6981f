// Command image writes an OCI image layout that holds the static binary and
// nothing else that runs: no shell, no libraries, no package manager, and no
// certificate authorities (the configuration names those that it trusts).
//
//	image --binary FILE --licence FILE --version TEXT --revision TEXT --out FOLDER
//
// What is in the image is decided by what goes in: all times are those of the
// Unix epoch unless SOURCE_DATE_EPOCH says otherwise, owners and modes are fixed,
// and names are in order. Two runs over the same binary write the same bytes, so
// that anybody can build the image again and compare its digest.
//
// The folder is made anew: it is written beside its place and renamed, so after
// a crash there is the whole layout or none. It can be pushed by any tool that
// reads OCI layouts, and holds a manifest.json besides, which is what
// `docker load` looks for.
//
// Formats: OCI Image Format 1.1 (image layout, config, annotations).
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// run is main without the process: tests call it.
func run(args []string, getenv func(string) string, out io.Writer) error {
	var b build
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it
	flags.StringVar(&b.binary, "binary", "", "the static program")
	flags.StringVar(&b.licence, "licence", "", "the text of the licence")
	flags.StringVar(&b.version, "version", "", "what the program calls itself")
	flags.StringVar(&b.revision, "revision", "", "the commit")
	flags.StringVar(&b.name, "name", "counterfoil", "name of the image for docker load")
	flags.StringVar(&b.out, "out", "", "folder of the layout; it is made anew")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"binary": b.binary, "licence": b.licence, "version": b.version, "revision": b.revision, "out": b.out,
	} {
		if value == "" {
			return fmt.Errorf("--%s is required", name)
		}
	}
	b.at = time.Unix(0, 0).UTC()
	if text := getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 {
			return fmt.Errorf("SOURCE_DATE_EPOCH must be a number of seconds")
		}
		b.at = time.Unix(seconds, 0).UTC()
	}
	digest, err := b.write()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, digest)
	return err
}
