package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // Ghost's database
)

const (
	ghostOwner    = "owner@bench.example"
	ghostPassword = "as long as it takes, 93"
)

// findGhost looks for Ghost in a folder, installed there as bench/README.md tells.
func findGhost(folder string) (rival, error) {
	if folder == "" {
		return rival{}, errors.New("no folder with Ghost is named (-ghost)")
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return rival{}, fmt.Errorf("ghost: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		return rival{}, fmt.Errorf("ghost: %w", err)
	}
	var about struct{ Name, Version string }
	if err := json.Unmarshal(text, &about); err != nil || about.Name != "ghost" {
		return rival{}, fmt.Errorf("ghost: %s is another package's folder: %q", folder, about.Name)
	}
	node, err := exec.Command("node", "--version").Output()
	if err != nil {
		return rival{}, fmt.Errorf("ghost: node: %w", err)
	}
	g := ghost{folder: folder}
	return rival{
		name: "Ghost " + about.Version, how: fmt.Sprintf("Node %s, SQLite in its own process, production mode, its own gzip, theme Source", bytes.TrimSpace(node)),
		pages: []string{"story, anonymous", "story, signed in", "front page", "feed"}, open: g.open,
	}, nil
}

// ghost is an installed Ghost.
type ghost struct{ folder string }

// open makes a site with an owner, a member and n stories, and serves it.
func (g ghost) open(ctx context.Context, dir string, n int) (*site, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	database := filepath.Join(dir, "ghost.db")
	if err := g.configure(dir, addr, database); err != nil {
		return nil, err
	}
	// The first start makes the database; the stories are found by the next.
	s, err := g.start(ctx, dir, addr)
	if err != nil {
		return nil, err
	}
	owner := newBrowser(s)
	member, err := setUpGhost(ctx, owner)
	transport.CloseIdleConnections() // it waits for them before it ends
	if err = errors.Join(err, s.stop()); err != nil {
		return nil, err
	}
	if err := fillGhost(ctx, database, n); err != nil {
		return nil, err
	}
	if s, err = g.start(ctx, dir, addr); err != nil {
		return nil, err
	}
	cookies, err := signInToGhost(ctx, s, owner, member)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	story := "/" + slug(0) + "/"
	return &site{server: s,
		asks:   [][]ask{{{path: story}}, {{path: story, cookie: cookies}}, {{path: "/"}}, {{path: "/rss/"}}},
		expect: []string{ending(0), `href="#/portal/account"`, slug(0), ending(0)}}, nil
}

// configure lays the site's folder out as Ghost's own installer does.
func (g ghost) configure(dir, addr, database string) error {
	content := filepath.Join(dir, "content")
	err := errors.Join(os.CopyFS(content, os.DirFS(filepath.Join(g.folder, "content"))), os.Symlink(g.folder, filepath.Join(dir, "current")))
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	type m = map[string]any
	text, err := json.Marshal(m{
		"url": "http://" + addr, "server": m{"host": host, "port": port, "shutdownTimeout": 1000},
		"database": m{"client": "better-sqlite3", "connection": m{"filename": database}}, "paths": m{"contentPath": content},
		"logging": m{"level": "error", "transports": []string{"stderr"}},
		// It asks nobody outside, and writes to nobody.
		"privacy":          m{"useUpdateCheck": false, "useGravatar": false, "useRpcPing": false, "useTinfoil": true},
		"sendWelcomeEmail": false, "security": m{"staffDeviceVerification": false},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.production.json"), text, 0o600)
}

func (g ghost) start(ctx context.Context, dir, addr string) (*server, error) {
	return start(ctx, "ghost", "http", addr, "/", "env", "-C", dir, "NODE_ENV=production", "node", "current/index.js")
}

// setUpGhost makes the owner, signs him in, and has him add a member, whose ID it gives.
func setUpGhost(ctx context.Context, owner *browser) (string, error) {
	type m = map[string]any
	if err := owner.call(ctx, http.MethodPost, "/ghost/api/admin/authentication/setup/", m{"setup": []m{
		{"name": "Owner", "email": ghostOwner, "password": ghostPassword, "blogTitle": "The Bench"}}}, nil); err != nil {
		return "", err
	}
	if err := owner.call(ctx, http.MethodPost, "/ghost/api/admin/session/", m{"username": ghostOwner, "password": ghostPassword}, nil); err != nil {
		return "", err
	}
	var made struct{ Members []struct{ ID string } }
	err := owner.call(ctx, http.MethodPost, "/ghost/api/admin/members/", m{"members": []m{{"email": supporter}}}, &made)
	if err == nil && len(made.Members) != 1 {
		err = fmt.Errorf("%d members were made", len(made.Members))
	}
	if err != nil {
		return "", err
	}
	return made.Members[0].ID, nil
}

// call asks Ghost's API, with and for JSON; what may be nil.
func (b *browser) call(ctx context.Context, method, path string, body, what any) error {
	var text []byte
	var err error
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, b.base.String()+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Origin", b.base.String())
	r.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if text, err = io.ReadAll(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, text)
	}
	if what == nil {
		return nil
	}
	return json.Unmarshal(text, what)
}

// fillGhost writes n stories as its editor would have left them.
func fillGhost(ctx context.Context, database string, n int) (err error) {
	db, err := sql.Open("sqlite", database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var author string
	if err := db.QueryRowContext(ctx, `SELECT id FROM users WHERE email = $1`, ghostOwner).Scan(&author); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()                                                                 // nothing after Commit
	if _, err := tx.ExecContext(ctx, `UPDATE posts SET status = 'draft'`); err != nil { // what it begins with
		return err
	}
	now := time.Now()
	for i, p := range pieces(n) {
		id, at := fmt.Sprintf("%024x", i+1), published(now, i)
		if _, err := tx.ExecContext(ctx, `INSERT INTO posts (id, uuid, title, slug, html, plaintext, comment_id, featured, type, status, visibility,
			email_recipient_filter, created_at, updated_at, published_at, published_by, custom_excerpt, show_title_and_feature_image)
			VALUES ($1, $2, $3, $4, $5, $6, $1, 0, 'post', 'published', 'public', 'all', $7, $7, $7, $8, $9, 1)`,
			id, fmt.Sprintf("00000000-0000-4000-8000-%012x", i+1), p.headline, slug(i), htmlOf(p, "<p>", "</p>"), p.text, at, author, p.summary); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO posts_authors (id, post_id, author_id, sort_order) VALUES ($1, $1, $2, 0)`, id, author); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// signInToGhost follows the sign-in address that the owner may see, and gives the member's cookies.
func signInToGhost(ctx context.Context, s *server, owner *browser, member string) (string, error) {
	var made struct {
		URLs []struct{ URL string } `json:"member_signin_urls"`
	}
	if err := owner.call(ctx, http.MethodGet, "/ghost/api/admin/members/"+member+"/signin_urls/", nil, &made); err != nil {
		return "", err
	}
	if len(made.URLs) != 1 {
		return "", fmt.Errorf("%d addresses to sign in", len(made.URLs))
	}
	b := newBrowser(s)
	resp, err := b.client.Get(made.URLs[0].URL)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	if b.cookies() == "" {
		return "", fmt.Errorf("signing in gave no cookies: %s, to %s", resp.Status, resp.Header.Get("Location"))
	}
	return b.cookies(), nil
}
