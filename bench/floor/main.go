package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

const (
	// headerTimeout bounds how long a client may take over its headers.
	headerTimeout = 10 * time.Second
	// patience is how long requests under way may take at the end.
	patience = 10 * time.Second
	// garbage is how much, in percent of what lives, may be made before it is collected.
	// Next to nothing lives here: at the usual 100 it is collected all the time.
	garbage = 400
)

func main() {
	debug.SetGCPercent(garbage)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dsn := flags.String("postgres", "", "`DSN` of a role that may create a schema")
	path := flags.String("sqlite", "", "`path` of a database file")
	listen := flags.String("listen", "127.0.0.1:0", "`address` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if (*dsn == "") == (*path == "") || flags.NArg() > 0 {
		return errors.New("one of -postgres and -sqlite is needed, and nothing else")
	}
	s, workers, err := openStore(ctx, *dsn, *path)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, s, workers, *listen, stdout), s.close())
}

func openStore(ctx context.Context, dsn, path string) (s store, workers int, err error) {
	if dsn != "" {
		s, err = openPostgres(ctx, dsn)
		return s, postgresCommitters, err
	}
	s, err = openSQLite(ctx, path)
	return s, 1, err // SQLite has one writer
}

// serve answers requests until ctx ends and those under way are answered.
func serve(ctx context.Context, s store, workers int, listen string, stdout io.Writer) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	g := newGroup(s, workers)
	defer g.close()
	server := &http.Server{Handler: handler(s, g), ReadHeaderTimeout: headerTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	if _, err := fmt.Fprintf(stdout, "serving http://%s\n", l.Addr()); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return server.Shutdown(late)
}
