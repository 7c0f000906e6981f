//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// startPatience is how long a server may take until it answers, also after
	// a crash, on a machine that is busy with other tests.
	startPatience = 60 * time.Second
	startPause    = 5 * time.Millisecond
	// connections suffices for the pools of many stores at once.
	connections = 300
)

// Server is a PostgreSQL of this test binary.
type Server struct {
	admin    string // DSN of the superuser, to the database postgres
	dir, bin string // empty for a server that was there before
	port     int
	settings []string
	user     *account

	running *process
	made    template
	buried  graveyard
}

// process is a postmaster that runs, or ran.
type process struct {
	pid   int
	ended chan struct{} // closed once it is gone
}

// Start starts a server for one test, which may stop, kill and configure it.
// Settings are lines of postgresql.conf.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := create(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Errorf("pgtest: stop: %v", err)
		}
	})
	return s
}

// create makes the folder of a server and starts it.
func create(settings []string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	u, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := folder(u)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, user: u, settings: settings}
	if err := s.initialise(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

func (s *Server) initialise() error {
	// What initdb writes need not survive a crash; what the server does must.
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, "initdb"), "--no-sync", "--auth=trust",
		"--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en",
		"--pgdata="+s.data())
	asUser(cmd, s.user, syscall.SIGKILL)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Dir is the folder of the server's socket, data and log.
func (s *Server) Dir() string { return s.dir }

// Port is the server's port, on the socket and on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Start starts the server again, after Stop or Kill.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Revive starts the server again where it ended by itself, as what watches over a
// server does. One that crashes on a full disk and has no room to recover gives up.
func (s *Server) Revive(t testing.TB) {
	t.Helper()
	select {
	case <-s.running.ended:
		t.Log("the server gave up, and is started again")
		s.Start(t)
	default:
	}
}

// Stop stops the server in order: open transactions are rolled back.
func (s *Server) Stop(t testing.TB) { t.Helper(); s.signal(t, syscall.SIGINT) }

// Kill stops the server as a crash would.
func (s *Server) Kill(t testing.TB) { t.Helper(); s.signal(t, syscall.SIGQUIT) }

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := s.stop(sig); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) start() error {
	if s.port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.port = port
	}
	args := []string{"-D", s.data(), "-c", "fsync=on", "-c", "unix_socket_directories=" + s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "port=" + strconv.Itoa(s.port),
		"-c", "max_connections=" + strconv.Itoa(connections), "-c", "shared_buffers=64MB"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("pgtest: log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, "postgres"), args...)
	// An orphan stops at once: nobody will look at its data.
	asUser(cmd, s.user, syscall.SIGQUIT)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	if s.running, err = launch(cmd); err != nil {
		return fmt.Errorf("pgtest: start: %w", err)
	}
	s.admin = s.dsn("postgres", "postgres")
	return s.await()
}

// launch starts a command from a thread that lives as long as it: the kernel
// tells the child that its parent died when that thread does.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// await waits until the server answers.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.admin)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.running.ended:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("pgtest: the server ended: %w: %s", err, log)
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the server does not answer: %w", err)
		case <-time.After(startPause):
		}
	}
}

func (s *Server) stop(sig syscall.Signal) error {
	if s.running == nil {
		return nil
	}
	if err := syscall.Kill(s.running.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("pgtest: stop: %w", err)
	}
	<-s.running.ended
	s.running = nil
	return nil
}

func (s *Server) remove() error {
	if s.dir == "" {
		return nil
	}
	return errors.Join(s.stop(syscall.SIGQUIT), os.RemoveAll(s.dir))
}

// freePort finds a port that nobody has at the moment.
func freePort() (int, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("pgtest: port: %w", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("pgtest: port: %v is no address", l.Addr())
	}
	return addr.Port, nil
}
