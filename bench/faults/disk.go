package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // "pgx"
)

// small mounts a disk of so many megabytes.
func (b *bench) small(megabytes int) (dir string, unmount func(), err error) {
	if os.Getuid() != 0 {
		return "", nil, notTried("only root can mount a small disk")
	}
	if dir, err = os.MkdirTemp(b.dir, "disk-"); err != nil {
		return "", nil, err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		return "", nil, notTried("mount: %v", err)
	}
	return dir, func() { syscall.Unmount(dir, syscall.MNT_DETACH) }, nil
}

// fill writes a file until there is no room.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			return err
		}
	}
	return nil
}

// folderSize gives the megabytes that a folder holds.
func folderSize(dir string) (mb int, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if info, infoErr := d.Info(); err == nil && infoErr == nil {
			mb += int(info.Size())
		}
		return err
	})
	return mb>>20 + 1, err
}

func fullSQLite(ctx context.Context, b *bench) (string, error) {
	size, err := folderSize(b.seed)
	if err != nil {
		return "", err
	}
	disk, unmount, err := b.small(size + 16)
	if err != nil {
		return "", err
	}
	defer unmount()
	dir, err := b.newsroom(disk)
	if err != nil {
		return "", err
	}
	s, err := b.serve(ctx, dir, 0, "--copies", filepath.Join(b.dir, "copies"))
	if err != nil {
		return "", err
	}
	defer s.stop()
	return b.full(ctx, s, filepath.Join(disk, "ballast"))
}

// full fills the disk of s, looks what becomes of it, and makes room again.
func (b *bench) full(ctx context.Context, s *server, ballast string) (seen string, err error) {
	stories, err := s.stories()
	if err != nil {
		return "", err
	}
	register := func(n int) (int, string, error) {
		res, body, err := s.post("/signin", url.Values{"email": {fmt.Sprintf("reader-%d@news.example", n)}})
		if err != nil {
			return 0, "", err
		}
		return res.StatusCode, body, nil
	}
	n := 0
	if status, _, err := register(n); err != nil || status >= 400 {
		return "", fmt.Errorf("before it is full a letter is answered with %d: %w", status, err)
	}
	if err := fill(ballast); err != nil {
		return "", err
	}
	lines := s.log.count("\n")
	code, body := 0, ""
	for n = 1; n < 3000 && code != 507; n++ { // PostgreSQL goes on in the pages that it has
		if code, body, err = register(n); err != nil {
			return "", err
		}
	}
	if code != 507 || !strings.Contains(body, "cannot write anything down") {
		return "", fmt.Errorf("a letter is answered with %d after %d tries", code, n)
	}
	refused := 1
	for range 50 {
		if status, _, err := register(n); err != nil || status != 507 {
			return "", fmt.Errorf("a letter is answered with %d: %w", status, err)
		}
		refused++
	}
	for _, path := range append([]string{"/", "/feed.xml"}, stories...) {
		if res, _, err := s.get(path); err != nil || res.StatusCode != 200 {
			return "", fmt.Errorf("%s is not served: %v %w", path, res, err)
		}
	}
	time.Sleep(20 * time.Second) // what does something by itself has had its turn
	ready, readyCode := s.ready()
	lines = s.log.count("\n") - lines
	told := s.log.count("the disk is full")
	seen = fmt.Sprintf("%d writes answered 507, %d pages 200; /readyz %d %q, masthead_disk_full %.0f; the log told %d×, %d lines in all within 20 s",
		refused, len(stories)+2, readyCode, ready, s.metric("masthead_disk_full"), told, lines)
	if told != 1 || lines > 12 || readyCode != 200 || !strings.HasPrefix(ready, "reading only") {
		return seen, errors.New("the state is not clear:\n" + s.log.String())
	}
	if err := os.Remove(ballast); err != nil {
		return seen, err
	}
	took, ok := until(20*time.Second, func() bool { ready, _ := s.ready(); return ready == "ok" })
	if !ok {
		return seen, errors.New("it does not recover:\n" + s.log.String())
	}
	if status, _, err := register(n + 1); err != nil || status >= 400 {
		return seen, fmt.Errorf("after there is room a letter is answered with %d: %w", status, err)
	}
	time.Sleep(3 * time.Second)
	if s.log.count("the database is not being copied") > s.log.count("the database is being copied again") {
		return seen, errors.New("copies do not go on:\n" + s.log.String())
	}
	return seen + fmt.Sprintf("; %.0f s after there was room all was well", took.Seconds()), nil
}

// stories gives the addresses of stories that the front page names.
func (s *server) stories() (paths []string, err error) {
	_, body, err := s.get("/")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(body, `"`) {
		if strings.HasPrefix(part, "/20") && strings.HasSuffix(part, "/") && !seen[part] {
			seen[part] = true
			paths = append(paths, part)
		}
	}
	if len(paths) == 0 {
		return nil, errors.New("the front page names no story")
	}
	return paths, nil
}

// fullPostgres keeps the tables of a newsroom on a small disk.
func fullPostgres(ctx context.Context, b *bench) (string, error) {
	server := os.Getenv("MASTHEAD_TEST_POSTGRES")
	if server == "" {
		return "", notTried("there is no PostgreSQL: run it by go run ./tools/withpostgres")
	}
	disk, unmount, err := b.small(40)
	if err != nil {
		return "", err
	}
	defer unmount()
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return "", err
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return "", notTried("%v", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	tables := filepath.Join(disk, "tables")
	if err := errors.Join(os.Chmod(disk, 0o755), os.Mkdir(tables, 0o700), os.Chown(tables, uid, gid)); err != nil {
		return "", err
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer admin.Close()
	for _, q := range []string{`CREATE TABLESPACE small LOCATION '` + tables + `'`, `CREATE DATABASE faults TABLESPACE small`} {
		if _, err := admin.ExecContext(ctx, q); err != nil {
			return "", fmt.Errorf("%s: %w", q, err)
		}
	}
	defer admin.Exec(`DROP TABLESPACE small`)
	defer admin.Exec(`DROP DATABASE faults WITH (FORCE)`)
	name, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	name.Path = "/faults"
	export := filepath.Join(b.dir, "export.zip")
	dir, err := os.MkdirTemp(b.dir, "newsroom-")
	if err != nil {
		return "", err
	}
	if err := b.command(ctx, "export", export, "--dir", b.seed); err != nil {
		return "", err
	}
	os.Setenv("MASTHEAD_DB", name.String())
	defer os.Unsetenv("MASTHEAD_DB")
	for _, args := range [][]string{{"init", "--dir", dir}, {"import", "archive", export, "--dir", dir}} {
		if err := b.command(ctx, args...); err != nil {
			return "", err
		}
	}
	s, err := b.serve(ctx, dir, 0)
	if err != nil {
		return "", err
	}
	defer s.stop()
	return b.full(ctx, s, filepath.Join(disk, "ballast"))
}
