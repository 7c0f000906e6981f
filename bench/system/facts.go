package system

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Machine says where it was measured, and what durable means there. What cannot be
// found out is left out.
func (s *Site) Machine(ctx context.Context) map[string]string {
	facts := map[string]string{
		"cores":  strconv.Itoa(runtime.NumCPU()),
		"cpu":    field("/proc/cpuinfo", "model name"),
		"memory": gibibytes(field("/proc/meminfo", "MemTotal")),
		"kernel": firstLine("/proc/sys/kernel/osrelease"),
		"disk":   fileSystem(s.database.Server.Dir()),
	}
	if took, err := fsyncTime(s.dir); err == nil {
		facts["fsync"] = fmt.Sprintf("8 KiB written and made durable in %s (median of %d)", took.Round(time.Microsecond), fsyncs)
	}
	var said []string
	_ = s.query(ctx, s.AdminDSN(), func(conn *pgx.Conn) error { // what was not said is left out
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers", "max_wal_size"} {
			value, err := show(ctx, conn, name)
			if err != nil {
				return err
			}
			said = append(said, name+"="+value)
		}
		return nil
	})
	facts["postgresql"] = strings.Join(said, " ")
	for name, fact := range facts {
		if fact == "" {
			delete(facts, name)
		}
	}
	return facts
}

// Versions says what was measured.
func (s *Site) Versions(ctx context.Context) map[string]string {
	versions := map[string]string{"go": runtime.Version(), Counterfoil: s.commit, "policy": fmt.Sprintf("%d rules", s.rules)}
	_ = s.query(ctx, s.AdminDSN(), func(conn *pgx.Conn) error { // what was not said is left out
		version, err := show(ctx, conn, "server_version")
		if err == nil {
			versions["postgresql"] = version
		}
		return err
	})
	if version := vaultVersion(); version != "" {
		versions["vault"] = version
	}
	return versions
}

var vaultModule = regexp.MustCompile(`(?m)^\s*github\.com/hashicorp/vault (v\S+)`)

// vaultVersion is that of the module that the transit server is built from.
func vaultVersion() string {
	dir, err := root()
	if err != nil {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(dir, "internal", "transit", "testserver", "go.mod"))
	if err != nil {
		return ""
	}
	if found := vaultModule.FindSubmatch(text); found != nil {
		return string(found[1])
	}
	return ""
}

// field is the first value of a name in a file of lines "name: value".
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// gibibytes makes "24630000 kB" readable.
func gibibytes(text string) string {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, " kB"), 64)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.1f GiB", n/(1<<20))
}

// Fields of a line of /proc/self/mountinfo (proc(5)): the mount point, and behind " - "
// kind and device.
const mountPoint = 4

// fileSystem is the one that a folder is on: that whose mount point is the longest
// beginning of its path.
func fileSystem(dir string) string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	longest, said := "", ""
	for line := range strings.Lines(string(text)) {
		before, after, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if len(where) <= mountPoint || len(what) < 2 {
			continue
		}
		point := where[mountPoint]
		below := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		// Of two at one place the later covers the earlier.
		if below && len(point) >= len(longest) {
			longest, said = point, what[0]+" on "+what[1]
		}
	}
	return said
}

// fsyncs is enough for a median.
const fsyncs = 100

// fsyncTime is how long it takes to write a page of PostgreSQL over an older one and to
// make it durable, as PostgreSQL does it with its WAL.
func fsyncTime(dir string) (time.Duration, error) {
	file, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return 0, fmt.Errorf("system: fsync: %w", err)
	}
	defer func() {
		_ = file.Close() // nobody reads it again
		_ = os.Remove(file.Name())
	}()
	page := make([]byte, 8<<10)
	var took []time.Duration
	// The first makes the file that long, which costs more.
	for range fsyncs + 1 {
		began := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			return 0, fmt.Errorf("system: fsync: %w", err)
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return 0, fmt.Errorf("system: fsync: %w", err)
		}
		took = append(took, time.Since(began))
	}
	took = took[1:]
	slices.Sort(took)
	return took[len(took)/2], nil
}
