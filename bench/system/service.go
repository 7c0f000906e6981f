package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Service is a process that answers requests.
type Service struct {
	Name, URL string
	PID       int
	// ReadyAfter is from exec to the first 200 of /readyz, or of the floor to the
	// line that says that it serves.
	ReadyAfter time.Duration

	kind    string // Counterfoil or Floor
	command []string
	process *process
	stop    *sync.Once
	stopped error
}

const (
	// readyPatience is how long a start may take on a machine that is busy.
	readyPatience = 60 * time.Second
	// readyPause is how exact ReadyAfter is.
	readyPause = 2 * time.Millisecond
	// stopPatience is longer than the service lets accepted requests take.
	stopPatience = 60 * time.Second
)

// Serve starts a replica on PostgreSQL and the transit server. A name that ran before
// starts again on its own data.
func (s *Site) Serve(ctx context.Context, name string) (*Service, error) {
	var config string
	err := s.host.do(func() {
		path, err := s.configure(name, s.production(false))
		if err != nil {
			s.host.Fatal(err)
		}
		config = path
	})
	if err != nil {
		return nil, err
	}
	return s.start(ctx, name, Counterfoil, s.binary, "serve", "--config", config)
}

// Embedded starts the service on SQLite and a key file, which it makes first, with the
// same tenants: each call has a folder of its own.
func (s *Site) Embedded(ctx context.Context) (*Service, error) {
	name := s.unique("embedded")
	config, err := s.configure(name, embedded(name))
	if err != nil {
		return nil, err
	}
	if err := s.found(ctx, config); err != nil {
		return nil, err
	}
	return s.start(ctx, name, Counterfoil, s.binary, "serve", "--config", config)
}

// Floor starts the floor on PostgreSQL.
func (s *Site) Floor(ctx context.Context) (*Service, error) {
	dsn, err := s.floorDSN()
	if err != nil {
		return nil, err
	}
	return s.start(ctx, s.unique(Floor), Floor, s.floor, "-postgres", dsn, "-listen", "127.0.0.1:0")
}

// FloorSQLite starts the floor on a new SQLite file.
func (s *Site) FloorSQLite(ctx context.Context) (*Service, error) {
	name := s.unique("floor-sqlite")
	return s.start(ctx, name, Floor, s.floor, "-sqlite", s.path(name+".db"), "-listen", "127.0.0.1:0")
}

// Again starts a service that was stopped, on the data that it left.
func (s *Site) Again(ctx context.Context, stopped *Service) (*Service, error) {
	return s.start(ctx, stopped.Name, stopped.kind, stopped.command[0], stopped.command[1:]...)
}

func (s *Site) unique(name string) string {
	return fmt.Sprintf("%s-%d", name, s.serial.Add(1))
}

// start starts a program and waits until it is ready.
func (s *Site) start(ctx context.Context, name, kind, program string, args ...string) (*Service, error) {
	v := &Service{Name: name, kind: kind, command: append([]string{program}, args...), stop: new(sync.Once)}
	began := time.Now()
	var err error
	if v.process, err = launch(s.path(name+".log"), program, args...); err != nil {
		return nil, err
	}
	v.PID = v.process.pid
	s.host.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
		defer cancel()
		if err := v.Stop(ctx); err != nil {
			s.host.Error(err)
		}
	})
	waiting, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	if err := v.await(waiting); err != nil {
		return nil, errors.Join(fmt.Errorf("system: %s: %w", name, err), v.Stop(waiting))
	}
	v.ReadyAfter = time.Since(began)
	return v, nil
}

// await waits until the service says where it listens, and of ours until it is ready.
func (v *Service) await(ctx context.Context) error {
	for v.URL == "" {
		if err := v.pause(ctx); err != nil {
			return err
		}
		text, err := os.ReadFile(v.process.log)
		if err != nil {
			return err
		}
		v.URL = address(v.kind, string(text))
	}
	for v.kind == Counterfoil {
		status, _, err := get(ctx, v.URL+"/readyz")
		if err == nil && status == http.StatusOK {
			break
		}
		if err := v.pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *Service) pause(ctx context.Context) error {
	select {
	case <-v.process.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(readyPause):
		return nil
	}
}

// address is what a program says of where it listens; nothing until it does. A line
// that is not yet whole is not read.
func address(kind, text string) string {
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			return ""
		}
		if kind == Floor {
			if url, found := strings.CutPrefix(line, "serving "); found {
				return strings.TrimSpace(url)
			}
			continue
		}
		var said struct {
			Message string `json:"msg"`
			Listen  string `json:"listen"`
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Message == "serving" {
			return "http://" + said.Listen
		}
	}
	return ""
}

// Stop ends the service in order and waits for it. What it says the second time is
// what it said the first.
func (v *Service) Stop(ctx context.Context) error {
	v.stop.Do(func() { v.stopped = v.process.stop(ctx) })
	return v.stopped
}

// get asks for a page and reads it whole.
func get(ctx context.Context, url string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}
