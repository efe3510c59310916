package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

//go:embed rival_wordpress.php
var wordpressScript []byte

// wordpress is an installed WordPress, and what it needs.
type wordpress struct{ folder, php, fpm, mariadb, mariadbd, installDB string }

// phpWorkers is how many answer at once, as many as Debian's pool has at most.
const phpWorkers = 5

// wordpressNginx is the rest of nginx's configuration, for an address, the
// site's folder and the run's. Debian's fastcgi_params is not included: its
// HTTP_HOST lacks the port, so that WordPress would lead to itself for ever.
const wordpressNginx = `include /etc/nginx/mime.types; default_type application/octet-stream; gzip on; gzip_types application/rss+xml;
	server {
		listen %s; root %s; index index.php;
		location / { try_files $uri $uri/ /index.php?$args; }
		location ~ \.php$ {
			fastcgi_pass unix:%s/php;
			fastcgi_param SCRIPT_FILENAME $request_filename; fastcgi_param SCRIPT_NAME $fastcgi_script_name; fastcgi_param DOCUMENT_ROOT $document_root;
			fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri; fastcgi_param QUERY_STRING $query_string;
			fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param SERVER_PROTOCOL $server_protocol;
			fastcgi_param SERVER_NAME $server_name; fastcgi_param SERVER_PORT $server_port; fastcgi_param REMOTE_ADDR $remote_addr;
		}
	}`

// findWordPress looks for WordPress in a folder, and for PHP, MariaDB and nginx.
func findWordPress(folder string) (rival, error) {
	text, err := os.ReadFile(filepath.Join(folder, "wp-includes", "version.php"))
	if err != nil {
		return rival{}, fmt.Errorf("wordpress: %w", err)
	}
	version := regexp.MustCompile(`\$wp_version = '([^']+)'`).FindSubmatch(text)
	if version == nil {
		return rival{}, fmt.Errorf("wordpress: no version in %s", folder)
	}
	w := wordpress{folder: folder, mariadbd: systemProgram("mariadbd")}
	for name, path := range map[string]*string{"php": &w.php, "mariadb": &w.mariadb, "mariadb-install-db": &w.installDB} {
		if *path, err = exec.LookPath(name); err != nil {
			return rival{}, fmt.Errorf("wordpress: %w", err)
		}
	}
	pools, _ := filepath.Glob("/usr/sbin/php-fpm[0-9]*") // Debian has the version in its name
	if len(pools) == 0 {
		return rival{}, errors.New("wordpress: no php-fpm")
	}
	w.fpm = pools[len(pools)-1]
	php, err := exec.Command(w.fpm, "-v").Output()
	maria, err2 := exec.Command(w.mariadbd, "--version").Output()
	if err := errors.Join(err, err2); err != nil {
		return rival{}, fmt.Errorf("wordpress: %w", err)
	}
	pick := func(text []byte, i int) string { return strings.Fields(string(text) + " ? ? ?")[i] }
	return rival{
		name: "WordPress " + string(version[1]),
		how: fmt.Sprintf("PHP %s with opcache in %d workers of php-fpm, %s, nginx with gzip in front, no page cache, its default theme; all of their processes are counted",
			pick(php, 1), phpWorkers, pick(maria, 2)),
		pages: []string{"story, anonymous", "story, signed in", "front page", "feed", "search"}, open: w.open,
	}, nil
}

// open makes a site with an owner, a subscriber and n stories, and serves it.
func (w wordpress) open(ctx context.Context, dir string, n int) (_ *site, err error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "site") // a copy, since its settings are a file in it
	if err := w.configure(ctx, dir, root, addr); err != nil {
		return nil, err
	}
	s := &server{name: "mariadb"}
	if err := w.startMariaDB(ctx, dir, s); err != nil {
		return nil, err
	}
	with := []*server{s}
	defer func() {
		for _, one := range with {
			if err != nil {
				err = errors.Join(err, one.stop())
			}
		}
	}()
	cookie, err := w.fill(ctx, dir, root, addr, n)
	if err != nil {
		return nil, err
	}
	fpm := &server{name: "php-fpm"}
	if err := w.startPHP(ctx, dir, fpm); err != nil {
		return nil, err
	}
	with = []*server{fpm, s}
	front, err := runNginx(ctx, "nginx before wordpress", dir, addr, "/", fmt.Sprintf(wordpressNginx, addr, root, dir))
	if err != nil {
		return nil, err
	}
	front.with = with
	story := "/" + slug(0) + "/"
	looked := searches(5)
	for i := range looked {
		looked[i].path = strings.Replace(looked[i].path, "/search?q=", "/?s=", 1)
	}
	return &site{server: front,
		asks:   [][]ask{{{path: story}}, {{path: story, cookie: cookie}}, {{path: "/"}}, {{path: "/feed/"}}, looked},
		expect: []string{ending(0), `id="wpadminbar"`, slug(0), slug(0), "search-results"}}, nil
}

// configure copies WordPress and writes its settings.
func (w wordpress) configure(ctx context.Context, dir, root, addr string) error {
	if _, err := do(ctx, nil, "cp", "-rL", w.folder, root); err != nil { // Debian's has symbolic links
		return err
	}
	var keys strings.Builder
	for _, of := range []string{"AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"} {
		fmt.Fprintf(&keys, "define('%s_KEY', '%[1]s key of the bench'); define('%[1]s_SALT', '%[1]s salt of the bench');\n", of)
	}
	// Its timetable is run by cron on a site that many read; and it asks nobody outside.
	settings := fmt.Sprintf(`<?php
define('DB_NAME', 'bench'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:%s/mariadb'); define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', 'http://%[2]s'); define('WP_SITEURL', 'http://%[2]s');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
%[3]s$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`, dir, addr, keys.String())
	pool := fmt.Sprintf("[global]\nerror_log = /dev/stderr\ndaemonize = no\n[bench]\nlisten = %s/php\nuser = root\npm = static\npm.max_children = %d\n", dir, phpWorkers)
	return errors.Join(os.WriteFile(filepath.Join(root, "wp-config.php"), []byte(settings), 0o644),
		os.WriteFile(filepath.Join(dir, "rival_wordpress.php"), wordpressScript, 0o644),
		os.WriteFile(filepath.Join(dir, "php-fpm.conf"), []byte(pool), 0o644))
}

// startMariaDB makes an empty database of its own and serves it on a socket in dir.
func (w wordpress) startMariaDB(ctx context.Context, dir string, s *server) error {
	data, socket := "--datadir="+filepath.Join(dir, "data"), "--socket="+filepath.Join(dir, "mariadb")
	var user []string
	if os.Getuid() == 0 {
		user = []string{"--user=root"}
	}
	if _, err := do(ctx, nil, w.installDB, append([]string{"--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"}, user...)...); err != nil {
		return err
	}
	if err := s.launch(ctx, listens(filepath.Join(dir, "mariadb")), append([]string{w.mariadbd, "--no-defaults", data, socket,
		"--skip-networking", "--pid-file=" + filepath.Join(dir, "mariadb.pid")}, user...)...); err != nil {
		return err
	}
	_, err := do(ctx, nil, w.mariadb, "--no-defaults", socket, "--user=root", "--execute=CREATE DATABASE bench CHARACTER SET utf8mb4")
	if err != nil {
		err = errors.Join(err, s.stop())
	}
	return err
}

// startPHP serves PHP on a socket in dir.
func (w wordpress) startPHP(ctx context.Context, dir string, s *server) error {
	command := []string{w.fpm, "--nodaemonize", "--fpm-config", filepath.Join(dir, "php-fpm.conf")}
	if os.Getuid() == 0 {
		command = append(command, "--allow-to-run-as-root")
	}
	return s.launch(ctx, listens(filepath.Join(dir, "php")), command...)
}

// listens looks whether a socket is listened on.
func listens(socket string) func() error {
	return func() error {
		c, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// fill installs WordPress in its database, writes n stories into it, and gives
// the cookie of a subscriber who is signed in.
func (w wordpress) fill(ctx context.Context, dir, root, addr string, n int) (string, error) {
	script := filepath.Join(dir, "rival_wordpress.php")
	if _, err := do(ctx, nil, w.php, script, root, addr, "install"); err != nil {
		return "", err
	}
	stories, write := io.Pipe() // a large archive is more than memory should hold
	defer stories.Close()       // should PHP end before it has read them all
	go func() {
		now, lines := time.Now(), json.NewEncoder(write)
		for i, p := range pieces(n) {
			if lines.Encode([]string{slug(i), published(now, i), p.headline, p.summary,
				htmlOf(p, "<!-- wp:paragraph -->\n<p>", "</p>\n<!-- /wp:paragraph -->\n\n")}) != nil {
				return // nobody reads
			}
		}
		write.Close()
	}()
	return do(ctx, stories, w.php, script, root, addr, "fill")
}
