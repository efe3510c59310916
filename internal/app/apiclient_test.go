package app_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"masthead/internal/db"
	"masthead/internal/needtest"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// TestGeneratedClient generates a Go client from the document that the running
// program gives, compiles it, and uses it: it writes, publishes, reads, hears by
// webhook and withdraws. See tools/apiclient.
func TestGeneratedClient(t *testing.T) {
	needtest.Program(t, "go")
	folder := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "main.go", "config.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "tools", "apiclient", name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(folder, name), string(text))
	}
	if err := os.Mkdir(filepath.Join(folder, "client"), 0o750); err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "GOFLAGS=-mod=mod", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	made := false
	onBoth(t, nil, func(t *testing.T, r *room) {
		var token string
		r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
			if err := r.Stories.SaveSection(ctx, tx, &story.Section{Slug: "weather", Position: -1, Names: story.Texts{"en": "Weather"}}); err != nil {
				return err
			}
			_, token, err = r.Staff.CreateTokenAs(ctx, tx, staff.Token{Name: "client", Role: staff.Owner, Scopes: staff.Scopes()}, 0)
			return err
		})
		ctx, stop := context.WithCancel(t.Context())
		ready, done := make(chan string, 1), make(chan error, 1)
		go func() { done <- r.App.Serve(ctx, func(addr net.Addr) { ready <- addr.String() }) }()
		defer func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		var address string
		select {
		case addr := <-ready:
			address = "http://" + addr
		case err := <-done:
			done <- err
			t.Fatalf("it is not served: %v", err)
		}
		if !made {
			res, err := http.Get(address + "/api/openapi-3.0.json")
			if err != nil {
				t.Fatal(err)
			}
			spec, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || !bytes.Contains(spec, []byte(`"openapi":"3.0.3"`)) {
				t.Fatalf("%.200s, %v", spec, err)
			}
			writeFile(t, filepath.Join(folder, "openapi.json"), string(spec))
			command("go", "tool", "oapi-codegen", "-config", "config.yaml", "openapi.json")
			command("go", "build", "-o", "apiclient", ".")
			made = true
		}
		if out := command(filepath.Join(folder, "apiclient"), address, token); !strings.Contains(out, "withdrawn") {
			t.Errorf("%s", out)
		}
	})
}
